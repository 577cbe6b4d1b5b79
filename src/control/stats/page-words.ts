/** Numbers, times and names as the statistics page writes them. */
import { seconds } from './rows.ts';

export function escapeHtml(text: unknown): string {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** `12 345` */
export function number(value: unknown): string {
  return Number(value).toLocaleString('en-US').replaceAll(',', '\u202f');
}

/** `4.1 KiB` */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

/** `3d2h`, `4m10s` */
export function duration(time_ms: number): string {
  const all_s = seconds(time_ms);
  const [d, h, m, s] = [
    Math.floor(all_s / 86_400),
    Math.floor(all_s / 3600) % 24,
    Math.floor(all_s / 60) % 60,
    all_s % 60,
  ];
  if (d > 0) return `${d}d${h}h`;
  if (h > 0) return `${h}h${m}m`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
}
