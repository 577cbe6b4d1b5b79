/** What conditional lines and `carpool -cc` may ask of the program itself (manual 2.4; management 3, `-cc` and `-vv`). */

/** Whose manual the keyword tables follow. It counts where a file asks for a version, because that is what the file means. */
export const LANGUAGE_VERSION = '3.5';

/** HAProxy's names of what it may be built with; those that carpool has. */
export const FEATURES: readonly string[] = [
  'ACCEPT4',
  'EPOLL',
  'GETADDRINFO',
  'LINUX_CAP',
  'LINUX_SPLICE',
  'POLL',
  'PRCTL',
  'PROMEX',
  'RT',
  'SYSTEMD',
  'THREAD',
];
