import { createHash, timingSafeEqual } from 'node:crypto';

/** What ZooKeeper's servers and clients have agreed on. */
const REALM = 'zk-sasl-md5';
const DIGEST_URI = 'zookeeper/zk-sasl-md5';
const FIRST_NONCE_COUNT = '00000001';
const LONGEST_TOKEN = 4_096;

/** A user that has proved to know its password, and the proof of the server in return. */
export interface DigestMd5Success {
  readonly user: string;
  readonly token: Uint8Array;
}

/**
 * One handshake of SASL DIGEST-MD5 (RFC 2831, authentication only) on the side of the server, as ZooKeeper's clients carry it out. A
 * handshake belongs to one connection and takes one answer.
 */
export class DigestMd5 {
  readonly #nonce: string;

  /** `nonce`: random, and used for no other handshake. */
  constructor(nonce: string) {
    this.#nonce = nonce;
  }

  /** What the client has to answer. */
  get challenge(): Uint8Array {
    return encoded(`realm="${REALM}",nonce="${this.#nonce}",charset=utf-8,algorithm=md5-sess`);
  }

  /** Null if the answer does not prove that the client knows the password of the user it names. */
  verify(token: Uint8Array, passwordOf: (user: string) => string | null): DigestMd5Success | null {
    const given = token.length > LONGEST_TOKEN ? null : directivesIn(new TextDecoder().decode(token));
    if (given === null || !this.#isForThis(given)) return null;
    const user = given.get('username')!;
    const password = passwordOf(user);
    // An unknown user takes as long as a wrong password.
    for (const secret of passwordHashes(user, password ?? '')) {
      const right = responseTo(given, secret, 'AUTHENTICATE:');
      if (!isEqual(right, given.get('response')!) || password === null) continue;
      return { user, token: encoded(`rspauth=${responseTo(given, secret, ':')}`) };
    }
    return null;
  }

  #isForThis(given: ReadonlyMap<string, string>): boolean {
    return (
      given.get('nonce') === this.#nonce &&
      given.get('realm') === REALM &&
      given.get('digest-uri') === DIGEST_URI &&
      given.get('nc') === FIRST_NONCE_COUNT &&
      (given.get('qop') ?? 'auth') === 'auth' &&
      (given.get('username') ?? '') !== '' &&
      (given.get('cnonce') ?? '') !== '' &&
      given.get('response') !== undefined
    );
  }
}

/** The directives of a response by name, in lower case. Null if they are malformed, or one stands there twice. */
function directivesIn(text: string): ReadonlyMap<string, string> | null {
  const directives = new Map<string, string>();
  const directive = /[\s,]*(?:([^\s=,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?=,|$)|$)/suy;
  while (directive.lastIndex < text.length) {
    const match = directive.exec(text);
    if (match === null) return null;
    const [, name, quoted, bare = ''] = match;
    if (name === undefined) break;
    const key = name.toLowerCase();
    if (directives.has(key)) return null;
    directives.set(key, quoted === undefined ? bare : quoted.replace(/\\(.)/gsu, '$1'));
  }
  return directives;
}

/**
 * Hashes of user, realm and password. Java takes what fits into ISO 8859-1 as that, and everything else as UTF-8; others take UTF-8
 * always.
 */
function passwordHashes(user: string, password: string): readonly Buffer[] {
  const hashes = (['latin1', 'utf8'] as const).map((preferred) =>
    md5(Buffer.concat([bytesOf(user, preferred), Buffer.from(`:${REALM}:`), bytesOf(password, preferred)])),
  );
  return hashes[0]!.equals(hashes[1]!) ? [hashes[0]!] : hashes;
}

function bytesOf(text: string, preferred: 'latin1' | 'utf8'): Buffer {
  const fits = Array.from(text).every((character) => character.codePointAt(0)! <= 0xff);
  return Buffer.from(text, preferred === 'latin1' && fits ? 'latin1' : 'utf8');
}

/** `method`: what the response to the server begins with, or `:` for the one to the client. */
function responseTo(given: ReadonlyMap<string, string>, secret: Buffer, method: string): string {
  const nonce = given.get('nonce')!;
  const cnonce = given.get('cnonce')!;
  const authzid = given.get('authzid');
  const tail = `:${nonce}:${cnonce}${authzid === undefined ? '' : `:${authzid}`}`;
  const first = md5(Buffer.concat([secret, Buffer.from(tail)])).toString('hex');
  const second = md5(Buffer.from(`${method}${DIGEST_URI}`)).toString('hex');
  const data = `${first}:${nonce}:${FIRST_NONCE_COUNT}:${cnonce}:auth:${second}`;
  return md5(Buffer.from(data)).toString('hex');
}

function isEqual(right: string, given: string): boolean {
  const [one, other] = [Buffer.from(right), Buffer.from(given.toLowerCase())];
  return one.length === other.length && timingSafeEqual(one, other);
}

function md5(bytes: Buffer): Buffer {
  return createHash('md5').update(bytes).digest();
}

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
