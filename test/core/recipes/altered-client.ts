import { OutcomeUnknownError, type Client } from '../../../core/client/index.js';

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

/** A client whose creations are carried out, but with an unknown outcome, while whoever asked for them gives up, by `stop`. */
export function givenUpWhileCreating(client: Client): {
  readonly late: Client;
  readonly stop: AbortController;
  /** How often a creation was asked for. */
  readonly creates: () => number;
} {
  const stop = new AbortController();
  let creates = 0;
  const late = alteredClient(client, {
    async create(path, data, options) {
      creates++;
      const made = client.create(path, data, options);
      stop.abort(new Error('enough'));
      await made;
      throw new OutcomeUnknownError({ operation: 'create', path });
    },
  });
  return { late, stop, creates: () => creates };
}
