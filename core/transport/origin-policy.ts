import { QuorateError } from '../runtime/index.js';

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i;
const IP_ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f:.]*:[\da-f:.]*)$/i;

export interface OriginPolicyOptions {
  /** The address that the listener is bound to. */
  readonly host: string;
  /**
   * Origins of web pages that may open WebSockets, such as `https://app.example:8443`; `self` for pages that were loaded
   * from the listener itself. Default: none.
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Names, without a port, under which a browser may reach the listener besides IP addresses and, on loopback, `localhost`. Default: none. */
  readonly allowedHosts?: readonly string[] | undefined;
}

/** What the policy looks at: two headers of a request. */
export interface RequestOrigin {
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
}

/**
 * Decides which requests of browsers a listener answers. A browser sends `Origin` with every WebSocket, whatever page opened it,
 * so a page of any site could use a member that its user can reach (cross-site WebSocket hijacking). Programs other than
 * browsers send no `Origin`. Behind a name that an attacker controls a page has the same origin as the listener (DNS
 * rebinding), so the name in `Host` has to be a known one wherever a browser's own rules would be all that protects.
 */
export class OriginPolicy {
  readonly #isLoopback: boolean;
  readonly #allowedOrigins: ReadonlySet<string>;
  readonly #allowedHosts: ReadonlySet<string>;

  /** Throws a `QuorateError` of code `INVALID_ORIGIN` on an allowed origin that no browser sends. */
  constructor({ host, allowedOrigins = [], allowedHosts = [] }: OriginPolicyOptions) {
    this.#isLoopback = LOOPBACK_HOST.test(host);
    this.#allowedOrigins = new Set(allowedOrigins.map(normalized));
    this.#allowedHosts = new Set([host, ...allowedHosts].map((name) => name.toLowerCase()));
  }

  /** Why a WebSocket of a client is refused; null if it is not. */
  refusalOfClient({ origin, host }: RequestOrigin): string | null {
    if (origin === undefined) return null;
    const isSelf = this.#allowedOrigins.has('self') && isOriginOf(origin, host) && this.#isKnownHost(host);
    return isSelf || this.#allowedOrigins.has(origin.toLowerCase())
      ? null
      : `the origin ${origin} is not among the allowed origins`;
  }

  /** The same of a link between members: they are no browsers. */
  refusalOfPeer({ origin }: RequestOrigin): string | null {
    return origin === undefined ? null : 'members send no Origin';
  }

  /** The same of a page or a status that is asked for by GET. Only what is reachable on this machine alone depends on the name. */
  refusalOfGet({ host }: RequestOrigin): string | null {
    if (!this.#isLoopback || this.#isKnownHost(host)) return null;
    return `the host ${host ?? ''} is not a name of this machine`;
  }

  #isKnownHost(host: string | undefined): boolean {
    const name = nameIn(host);
    if (this.#allowedHosts.has(name) || LOOPBACK_HOST.test(name)) return true;
    return !this.#isLoopback && IP_ADDRESS.test(name);
  }
}

function normalized(origin: string): string {
  const text = origin.trim().toLowerCase();
  if (text === 'self' || text === 'null') return text;
  let parsed: URL | null = null;
  try {
    parsed = new URL(text);
  } catch {
    // Reported below, together with what parses and is no origin.
  }
  const isOrigin = parsed !== null && parsed.host !== '' && `${parsed.protocol}//${parsed.host}` === text;
  if (isOrigin) return text;
  throw new QuorateError(
    'INVALID_ORIGIN',
    `"${origin}" is not an origin: write scheme, host and, unless it is the usual one, port, as in https://app.example:8443, ` +
      'or self for pages of the member itself',
    { fields: { origin } },
  );
}

function isOriginOf(origin: string, host: string | undefined): boolean {
  const address = (host ?? '').toLowerCase();
  return address !== '' && [`http://${address}`, `https://${address}`].includes(origin.toLowerCase());
}

/** Without port and brackets, in lower case. */
function nameIn(host: string | undefined): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec((host ?? '').toLowerCase()) ?? [];
  return bracketed ?? plain ?? '';
}
