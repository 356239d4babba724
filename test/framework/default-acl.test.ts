import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect as connectClient, createClient, NoNodeError, type Client } from '../../core/client/index.js';
import { silentLogger } from '../../core/runtime/index.js';
import { Embedded } from '../../core/server/index.js';
import {
  Application,
  Config,
  ConfigStore,
  LeaderOnly,
  Locks,
  Queues,
  Service,
  Sharded,
  Worker,
  type Engine,
} from '../../framework/index.js';

@Worker({ queue: 'jobs' })
class Doubler {
  handle(job: { readonly data: { readonly n: number } }): number {
    return job.data.n * 2;
  }
}

@LeaderOnly({ name: 'lead' })
class Lead {
  run(): void {
    // It leads; that is all that is wanted of it.
  }
}

@Sharded({ name: 'parts', shards: 2 })
class Parts {
  run(): void {
    // The division is what is wanted of it.
  }
}

@Service({ name: 'shop', port: 1 })
class Shop {}

@Config({ name: 'shop' })
class Settings {
  currency = 'EUR';
}

function unlessGone(error: unknown): undefined {
  if (!(error instanceof NoNodeError)) throw error;
}

/** All znodes but those of the system, with who may do anything with them. */
async function owners(client: Client, path = '/'): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const listed = await client.getChildren(path).catch(unlessGone);
  for (const child of listed?.children ?? []) {
    const at = `${path === '/' ? '' : path}/${child}`;
    if (at === '/zookeeper') continue;
    const acl = (await client.getAcl(at).catch(unlessGone))?.acl;
    if (acl === undefined) continue;
    found.set(at, acl.map(({ perms, id }) => `${perms} ${id.scheme}:${id.id.split(':')[0]}`).join());
    for (const [below, owner] of await owners(client, at)) found.set(below, owner);
  }
  return found;
}

test('with the ACL of its creator, everything that an application creates is closed to others', async () => {
  await using member = await Embedded.start({ address: 'ws://embedded:1', logger: silentLogger });
  const engine: Engine = {
    createClient: (options) => createClient(member.url, { ...options, dialer: member.dialer }),
    close: async () => undefined,
  };
  const auth = [{ scheme: 'digest', auth: 'shop:secret' }];
  await using app = await Application.start({
    connect: engine,
    declare: [Doubler, Lead, Parts, Shop, Settings],
    auth,
    acl: 'creator',
    logger: silentLogger,
  });
  const jobs = app.get(Queues).of<{ n: number }>('jobs');
  assert.is(await jobs.result(await jobs.enqueue({ n: 21 })), 42);
  await app.get(Locks).run('till', () => app.get(ConfigStore).write('shop', { currency: 'USD' }));

  await using owner = await connectClient(member.url, { auth, dialer: member.dialer, logger: silentLogger });
  const kinds = ['/queues', '/locks', '/config', '/leaders', '/services', '/shards'];
  let found = await owners(owner);
  // Leaders and shards come when the start is over.
  while (!kinds.every((kind) => [...found.keys()].some((path) => path.startsWith(`${kind}/`))))
    found = await owners(owner);
  const others = [...found].filter(([, acl]) => acl !== '31 digest:shop');
  assert.equal(others, []);
});

test.run();
