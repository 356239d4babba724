import { withoutCredentials } from '../runtime/index.js';
import { ConnectStringError } from './client-errors.js';
import { ClientError } from './errors.js';
import { validatePath } from './path.js';

/** A connect string, taken apart. */
export interface ConnectString {
  /** Decides which dialer is used. In lower case, without a colon. */
  readonly scheme: string;
  /** What the dialer is given, one address per host: `ws://a:7300`. Never empty. */
  readonly addresses: readonly string[];
  /** `''`, or a path without a slash at its end: every path that the client is given is below it. */
  readonly chroot: string;
}

/** The port at which members of an ensemble listen unless told otherwise; ZooKeeper's own for `zk`, and the one that its documentation takes under TLS. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = { ws: 7300, wss: 7300, zk: 2181, zks: 2281 };

/**
 * Reads `ws://a:7300,b:7300/chroot`. The scheme stands once, or in front of each host; IPv6 addresses stand in
 * brackets; a port that is left out is 7300 (2181 for `zk`, 2281 for `zks`). A scheme without `//`, such as `embedded:./data`,
 * has a single address, the whole text, and no chroot. Throws `ConnectStringError`.
 */
export function parseConnectString(text: string): ConnectString {
  if (typeof text !== 'string') throw invalid(String(text), `it must be a text, not ${typeof text}`);
  const trimmed = text.trim();
  const match = /^([a-z][a-z0-9+.-]*):(\/\/)?(.*)$/is.exec(trimmed);
  if (match === null || looksLikeHostAndPort(match)) {
    throw invalid(text, `there is no scheme: write ws://${trimmed || 'localhost:7300'}`);
  }
  const scheme = match[1]!.toLowerCase();
  if (match[2] === undefined) return { scheme, addresses: [trimmed], chroot: '' };

  const { hosts, chroot } = splitChroot(text, match[3]!, scheme);
  const addresses = hosts.map((host) => `${scheme}://${parseHost(text, host, scheme)}`);
  return { scheme, addresses, chroot };
}

/** `localhost:7300` has the form of a scheme and a rest, but is not meant so. */
function looksLikeHostAndPort(match: RegExpExecArray): boolean {
  return match[2] === undefined && /^\d+(?:[,/]|$)/.test(match[3]!);
}

function splitChroot(
  text: string,
  rest: string,
  scheme: string,
): { readonly hosts: readonly string[]; readonly chroot: string } {
  const withoutSchemes = rest
    .split(',')
    .map((part, index) => (index === 0 ? part : withoutScheme(text, part, scheme)));
  const joined = withoutSchemes.join(',');
  const slash = joined.indexOf('/');
  const hosts = (slash === -1 ? joined : joined.slice(0, slash)).split(',');
  const path = slash === -1 ? '' : joined.slice(slash).replace(/\/+$/, '');
  if (path !== '') {
    try {
      validatePath(path, 'connect');
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      throw invalid(text, `the chroot ${path} is no valid path (${error.message})`);
    }
  }
  return { hosts, chroot: path };
}

function withoutScheme(text: string, part: string, scheme: string): string {
  const match = /^\s*([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(part);
  if (match === null) return part;
  if (match[1]!.toLowerCase() !== scheme) {
    throw invalid(text, `all hosts must have the same scheme, ${scheme}, but one has ${match[1]!}`);
  }
  return match[2]!;
}

/** `host:port`, the port filled in. */
function parseHost(text: string, raw: string, scheme: string): string {
  const host = raw.trim();
  if (host === '') throw invalid(text, 'a host is missing');
  const match = /^(\[[0-9a-f:.%]+\]|[^:[\]@?#\s/]+)(?::(.*))?$/i.exec(host);
  if (match === null) {
    const hint = /^[0-9a-f:]+$/i.test(host) ? `; write an IPv6 address in brackets, [${host}]` : '';
    throw invalid(text, `"${host}" is no host${hint}`);
  }
  const defaultPort = DEFAULT_PORTS[scheme];
  if (match[2] === undefined && defaultPort === undefined) throw invalid(text, `"${host}" has no port`);
  const port = match[2] === undefined ? defaultPort! : Number(match[2]);
  const isPort = /^\d*$/.test(match[2] ?? '') && port >= 1 && port <= 65_535;
  if (!isPort) throw invalid(text, `"${match[2]}" of "${host}" is no port`);
  return `${match[1]!}:${port}`;
}

function invalid(text: string, what: string): ConnectStringError {
  return new ConnectStringError({
    what: withoutCredentials(`connect string "${text}": ${what}`),
    fields: { connectString: withoutCredentials(text) },
  });
}
