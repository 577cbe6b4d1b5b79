/** The hashes of `userlist` sections: this host's crypt(3) must know their kind. */
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import { crypt, hasCrypt } from '../system/password-hash.ts';

/** Loads crypt(3) in any case: after a chroot a reload could not. */
export function probePasswords({ userlists }: Config): Diagnostic[] {
  const has_crypt = hasCrypt();
  return userlists.flatMap(({ accounts }) =>
    accounts.flatMap(({ name, password }): Diagnostic[] => {
      if (password?.kind !== 'crypt' || crypt('', password.text) !== undefined) return [];
      const what = has_crypt
        ? 'is no hash that crypt(3) of this host knows'
        : 'is of no use: this host has no crypt(3)';
      const message = `The password of \`${name}\` ${what}.`;
      const mend = 'Make one with `openssl passwd -6`, or write `insecure-password` if it is not a hash.';
      return [{ severity: 'error', code: 'unknown-hash', message, mend, span: password.span }];
    }),
  );
}
