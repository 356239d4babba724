import { BlockList, isIP } from 'node:net';
import { InvalidArgumentError } from '../core/runtime/index.js';

/** Labels of letters, digits, hyphens and underscores. */
const HOST_NAME =
  /^(?=.{1,253}\.?$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?$/i;

/** Whether an instance says an address that is one: an IP address or the name of a host, and nothing that changes a URL. */
export function isHost(address: string): boolean {
  return isIP(address) !== 0 || HOST_NAME.test(address);
}

/**
 * Hosts and networks that a service may be at: `billing.internal`, `*.example` (any name below), `10.1.2.3`, `10.0.0.0/8`,
 * `fd00::/8`. Names are compared as texts and not resolved; a network contains addresses only.
 */
export class AllowedHosts {
  readonly #networks = new BlockList();
  readonly #names = new Set<string>();
  readonly #suffixes: string[] = [];

  /** @throws InvalidArgumentError for an entry that is none of these. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      if (typeof entry !== 'string' || !this.#add(entry.toLowerCase()))
        throw new InvalidArgumentError('Services', 'allow', 'a list of hosts, *.domains and networks', entry);
    }
  }

  includes(host: string): boolean {
    const name = host.toLowerCase().replace(/\.$/, '');
    const version = isIP(name);
    if (version !== 0) return this.#networks.check(name, version === 4 ? 'ipv4' : 'ipv6');
    return this.#names.has(name) || this.#suffixes.some((suffix) => name.endsWith(suffix));
  }

  #add(entry: string): boolean {
    const [address = '', bits, ...rest] = entry.split('/');
    const version = isIP(address);
    if (version !== 0) {
      const most = version === 4 ? 32 : 128;
      const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
      if (rest.length > 0 || !(prefix <= most)) return false;
      this.#networks.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6');
      return true;
    }
    const isSuffix = entry.startsWith('*.');
    const name = (isSuffix ? entry.slice(2) : entry).replace(/\.$/, '');
    if (!HOST_NAME.test(name)) return false;
    if (isSuffix) this.#suffixes.push(`.${name}`);
    else this.#names.add(name);
    return true;
  }
}
