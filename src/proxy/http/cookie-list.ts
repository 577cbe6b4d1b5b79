/**
 * The cookies of a Cookie field, one after the other (RFC 6265 section 4.2).
 *
 *   a=1; SRV = s1 ;b
 *   ^start^value  ^end        one object is filled again and again, with offsets
 */

export class CookieList {
  name_start = 0;
  name_end = 0;
  /** The same as `name_end` where there is no `=`. */
  value_start = 0;
  value_end = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private end = 0;

  begin(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** False: there are no more. */
  next(): boolean {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end && (bytes[at] === SEMICOLON || isBlank(bytes[at]))) at++;
    if (at >= end) return false;
    this.name_start = at;
    while (at < end && bytes[at] !== EQUALS && bytes[at] !== SEMICOLON) at++;
    this.name_end = this.withoutBlanks(this.name_start, at);
    if (at === end || bytes[at] === SEMICOLON) {
      this.value_start = this.name_end;
      this.value_end = this.name_end;
      this.at = at;
      return true;
    }
    at++;
    while (at < end && isBlank(bytes[at])) at++;
    this.value_start = at;
    while (at < end && bytes[at] !== SEMICOLON) at++;
    this.value_end = this.withoutBlanks(this.value_start, at);
    this.at = at;
    return true;
  }

  /** What has no `=` is no cookie of anybody's. */
  isNamed(name: Uint8Array): boolean {
    if (this.value_start === this.name_end) return false;
    if (this.name_end - this.name_start !== name.length) return false;
    for (let index = 0; index < name.length; index++) {
      if (this.bytes[this.name_start + index] !== name[index]) return false;
    }
    return true;
  }

  /** `NAME=VALUE` begins with the bytes, of which `=` may be one. */
  beginsWith(beginning: Uint8Array): boolean {
    if (this.value_start === this.name_end || this.value_end - this.name_start < beginning.length) return false;
    for (let index = 0; index < beginning.length; index++) {
      if (this.bytes[this.name_start + index] !== beginning[index]) return false;
    }
    return true;
  }

  private withoutBlanks(start: number, end: number): number {
    let at = end;
    while (at > start && isBlank(this.bytes[at - 1])) at--;
    return at;
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

const TAB = 9;
const SPACE = 32;
const SEMICOLON = 59;
const EQUALS = 61;
