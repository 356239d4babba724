import type { Client } from '../../../core/client/index.js';

/** `client` with some of its methods replaced, to answer as a test wants it; the others are its own. */
export function alteredClient(client: Client, replaced: Partial<Client>): Client {
  return new Proxy(client, {
    get(target, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name) as unknown;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
