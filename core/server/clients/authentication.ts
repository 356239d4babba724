import { createHash, type X509Certificate } from 'node:crypto';
import type { AuthRequest, Id } from '../../protocol/index.js';
import { Accounts, type ServerOptions } from '../configuration/index.js';
import { subjectOf } from './x509-subject.js';

/** Who everybody from an address is before any auth packet: `ip:<address>`. */
export function identitiesOfAddress(remoteAddress: string): readonly Id[] {
  return [{ scheme: 'ip', id: hostOf(remoteAddress) }];
}

/** Who a client with a verified certificate is: `x509:<subject>`; nobody without one. */
export function identitiesOfCertificate(certificate: X509Certificate | null): readonly Id[] {
  return certificate === null ? [] : [{ scheme: 'x509', id: subjectOf(certificate) }];
}

/** Passes every ACL. */
const SUPER: Id = { scheme: 'super', id: '' };

type AuthenticationRules = Pick<ServerOptions, 'superDigest' | 'superUser' | 'requireAuth'>;

/** Tells who a client is from what it presents; null means refused. */
export class Authentication {
  readonly #superDigest: string | null;
  readonly #superUser: string | null;
  readonly #accounts: Accounts;
  /** Sessions without an accepted identity are refused. */
  readonly isRequired: boolean;

  constructor(rules: AuthenticationRules, accounts = new Accounts()) {
    this.#superDigest = rules.superDigest;
    this.#superUser = rules.superUser;
    this.#accounts = accounts;
    this.isRequired = rules.requireAuth;
  }

  /** What a client is that has proved these identities: the one of `superUser` passes every ACL besides. */
  withRights(proved: readonly Id[]): readonly Id[] {
    const isSuper = proved.some(({ scheme, id }) => `${scheme}:${id}` === this.#superUser);
    return isSuper ? [...proved, SUPER] : proved;
  }

  /**
   * Whether one of the identities makes a session acceptable where authentication is required: a verified certificate, a user of SASL, a
   * digest of the list of users, or the one that passes every ACL. An address is none, nor is a digest that anybody can claim.
   */
  isAccepted(identities: readonly Id[]): boolean {
    return identities.some(({ scheme, id }) => {
      if (scheme === 'digest') return this.#accounts.digests?.has(id) === true;
      return scheme === 'x509' || scheme === 'sasl' || scheme === 'super';
    });
  }

  /**
   * Whom a connection shares the member's time with: the identity that was verified first, else its address, since a digest that anybody can
   * claim would give a party as many shares as it likes.
   */
  shareKey(identities: readonly Id[]): string {
    const proven = identities.find((identity) => this.isAccepted([identity])) ?? identities[0];
    return proven === undefined ? '' : `${proven.scheme}:${proven.id}`;
  }

  /** The passwords of SASL's users; null if SASL is off. */
  get saslPasswords(): ReadonlyMap<string, string> | null {
    return this.#accounts.passwords;
  }

  /** The identities that the packet proves. Null if the scheme is unknown or the proof is none. */
  identities(request: AuthRequest): readonly Id[] | null {
    if (request.scheme === 'digest') return request.auth === null ? null : this.#digest(request.auth);
    // An address cannot be claimed, but asking for what everybody has anyway is no failure, as in ZooKeeper.
    if (request.scheme === 'ip') return [];
    return null;
  }

  /**
   * Any text is a user and a password, as in ZooKeeper: an empty one is an empty user without a password. Null for one that is not in
   * the list of users, where authentication is required.
   */
  #digest(auth: Uint8Array): readonly Id[] | null {
    const text = new TextDecoder().decode(auth);
    const hash = createHash('sha1').update(text, 'utf8').digest('base64');
    // Without a colon all of it is the user.
    const id = `${text.split(':', 1)[0]}:${hash}`;
    const identity = { scheme: 'digest', id };
    if (id === this.#superDigest) return [identity, SUPER];
    const isKnown = this.#accounts.digests?.has(id) ?? true;
    return isKnown || !this.isRequired ? [identity] : null;
  }
}

/** Adds what is not there yet. A new array, because requests under way keep the identities they were made with. */
export function withIdentities(present: readonly Id[], added: readonly Id[]): readonly Id[] {
  const fresh = added.filter(
    (one) => !present.some((other) => other.scheme === one.scheme && other.id === one.id),
  );
  return fresh.length === 0 ? present : [...present, ...fresh];
}

/** `host` of `host:port`, without the brackets of IPv6. */
function hostOf(address: string): string {
  const bracketed = /^\[(.*)\]/.exec(address);
  if (bracketed !== null) return bracketed[1]!;
  return address.replace(/:\d+$/, '');
}
