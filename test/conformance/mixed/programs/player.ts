/** Quorate's part in a mixed fleet: `player.js CONNECT SESSION_MS`; does what each line of its standard input says. */
import { createInterface } from 'node:readline';
import { connect, type Client } from '../../../../core/client/index.js';
import {
  FairLock,
  LeaderLatch,
  ReadWriteLock,
  Semaphore,
  ServiceRegistry,
  type ServiceInstance,
} from '../../../../core/recipes/index.js';

const NAME = 'quorate';

class Player {
  readonly #client: Client;
  readonly #registry: ServiceRegistry;
  #end: () => void = () => undefined;

  constructor(client: Client) {
    this.#client = client;
    this.#registry = new ServiceRegistry(client);
  }

  async play([command, ...rest]: readonly string[]): Promise<void> {
    const [first, second, third] = rest as [string, string, string];
    switch (command) {
      case 'contend':
        return await this.#contend(second, Number(third));
      case 'hold':
        return await this.#hold(second);
      case 'share':
        return await this.#share(first, Number(second), Number(third));
      case 'read-and-write':
        return await this.#readAndWrite(first, Number(second));
      case 'lead':
        return await this.#lead(first);
      case 'end':
        return this.#end();
      case 'register':
        await this.#registry.register({
          name: first,
          id: second,
          address: `${NAME}.example`,
          port: Number(third),
          payload: { by: NAME },
        });
        return tell('registered');
      case 'find':
        return tell(`found ${show(await this.#registry.instances(first))}`);
      case 'follow':
        return await this.#follow(first);
      default:
        throw new Error(`nobody knows how to ${command}`);
    }
  }

  /** Its locks stand in one line with Curator's and kazoo's, whatever names those use. */
  async #contend(path: string, turns: number): Promise<void> {
    const lock = new FairLock(this.#client, path.slice(1), { root: '/' });
    for (let turn = 0; turn < turns; turn++) {
      await lock.run(async (hold) => {
        const held = await this.#ephemeral(`${path}-witness/held`);
        await this.#client.create(`${path}-witness/turn-`, `${NAME} ${hold.path.slice(-10)}`, {
          mode: 'persistent-sequential',
        });
        await this.#client.delete(held);
      });
    }
    tell('done');
  }

  async #hold(path: string): Promise<void> {
    await new FairLock(this.#client, path.slice(1), { root: '/' }).run(() =>
      this.#untilEnded(`${path}-witness/held`, 'holds'),
    );
    tell('ended');
  }

  async #share(path: string, permits: number, turns: number): Promise<void> {
    const semaphore = new Semaphore(this.#client, path.slice(1), { root: '/', permits });
    for (let turn = 0; turn < turns; turn++) {
      await semaphore.run(async () => {
        const mine = await this.#client.create(`${path}-witness/held-`, null, {
          mode: 'ephemeral-sequential',
        });
        const { children } = await this.#client.getChildren(`${path}-witness`);
        if (children.length > permits) throw new Error(`${children.length} hold it`);
        await this.#client.delete(mine.path);
      });
    }
    tell('done');
  }

  /** Every third turn is a writer's. */
  async #readAndWrite(path: string, turns: number): Promise<void> {
    const lock = new ReadWriteLock(this.#client, path.slice(1), { root: '/' });
    for (let turn = 0; turn < turns; turn++) {
      const isWriter = turn % 3 === 2;
      await (isWriter ? lock.write : lock.read).run(async () => {
        const name = isWriter ? 'writer-' : 'reader-';
        const mine = await this.#client.create(`${path}-witness/${name}`, null, {
          mode: 'ephemeral-sequential',
        });
        const { children } = await this.#client.getChildren(`${path}-witness`);
        const isShared = isWriter
          ? children.length > 1
          : children.some((child) => child.startsWith('writer-'));
        if (isShared) throw new Error(`together: ${children.join(', ')}`);
        await this.#client.delete(mine.path);
      });
    }
    tell('done');
  }

  async #lead(path: string): Promise<void> {
    await using latch = new LeaderLatch(this.#client, path.slice(1), { root: '/', id: NAME }).start();
    for await (const _ of latch.leaderships()) {
      await this.#untilEnded(`${path}-witness/leader`, 'leads');
      break;
    }
    await latch.close();
    tell('ended');
  }

  async #follow(name: string): Promise<void> {
    const directory = this.#registry.directory(name);
    await directory.ready();
    tell('follows');
    for await (const _ of directory.changes()) tell(`sees ${name}: ${show(directory.instances())}`);
  }

  async #untilEnded(witness: string, word: string): Promise<void> {
    const ended = new Promise<void>((resolve) => (this.#end = resolve));
    await this.#ephemeral(witness);
    tell(word);
    await ended;
    await this.#client.delete(witness);
  }

  async #ephemeral(path: string): Promise<string> {
    return (await this.#client.create(path, NAME, { mode: 'ephemeral' })).path;
  }
}

function show(instances: readonly ServiceInstance[]): string {
  return instances
    .map(
      ({ id, address, port, payload }) =>
        `${id}@${address}:${port}/${String((payload as { by?: unknown } | null)?.by)}`,
    )
    .sort()
    .join(' ');
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [servers, sessionMs] = process.argv.slice(2);
const client = await connect(`zk://${servers}`, { sessionTimeoutMs: Number(sessionMs) });
const player = new Player(client);
tell('ready');
for await (const line of createInterface({ input: process.stdin })) {
  player.play(line.split(' ')).catch((error: unknown) => {
    console.error(error);
    tell(`!! ${String(error)}`);
  });
}
await client.close();
process.exit(0);
