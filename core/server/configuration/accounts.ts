import { createHash } from 'node:crypto';
import { ConfigurationError } from './server-options.js';

/** Before a digest in place of a password. */
const DIGEST_MARK = '{digest}';
const DIGEST = /^[A-Za-z0-9+/]{27}=$/;

/** Users that may prove who they are, by how they do it. Both can be replaced while the member runs. */
export class Accounts {
  /** Identities `user:base64(sha1("user:password"))` of the scheme `digest` that are accepted; null: no list was given. */
  digests: ReadonlySet<string> | null = null;
  /** Passwords for SASL DIGEST-MD5 by user; null: SASL is off. */
  passwords: ReadonlyMap<string, string> | null = null;
}

/** One user on a line as `user:password`, or `user:{digest}base64(sha1("user:password"))`; empty lines and `#` comments are left out. */
export function parseDigests(option: string, text: string): ReadonlySet<string> {
  const digests = new Set<string>();
  for (const { user, secret, line } of usersIn(option, text)) {
    const digest = secret.startsWith(DIGEST_MARK) ? secret.slice(DIGEST_MARK.length) : digestOf(user, secret);
    if (!DIGEST.test(digest))
      throw new ConfigurationError(
        option,
        `line ${line} has a malformed digest`,
        'Write user:{digest}base64(sha1("user:password")), or user:password.',
      );
    digests.add(`${user}:${digest}`);
  }
  return digests;
}

/** One user on a line as `user:password`; empty lines and `#` comments are left out. */
export function parsePasswords(option: string, text: string): ReadonlyMap<string, string> {
  return new Map(usersIn(option, text).map(({ user, secret }) => [user, secret]));
}

function digestOf(user: string, password: string): string {
  return createHash('sha1').update(`${user}:${password}`, 'utf8').digest('base64');
}

/** No message quotes a line: it holds a password. */
function usersIn(
  option: string,
  text: string,
): readonly { readonly user: string; readonly secret: string; readonly line: number }[] {
  const users = text.split(/\r?\n/).flatMap((content, index) => {
    if (content.trim() === '' || content.startsWith('#')) return [];
    const colon = content.indexOf(':');
    const [user, secret] = [content.slice(0, colon), content.slice(colon + 1)];
    if (colon < 1 || secret === '')
      throw new ConfigurationError(
        option,
        `line ${index + 1} names no user with a password`,
        'Write user:password.',
      );
    return [{ user, secret, line: index + 1 }];
  });
  if (users.length > 0) return users;
  throw new ConfigurationError(option, 'the file names no user', 'Write a line user:password for each.');
}
