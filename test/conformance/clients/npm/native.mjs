/** The package zookeeper, which wraps the C client. */
import ZooKeeper from 'zookeeper';

const { constants } = ZooKeeper;
/** It looks at what it has to send a third of this later at the latest, and authenticates only then. */
const SESSION_MS = 4_000;

async function open(s, { hosts = s.turn(), sessionMs = SESSION_MS, ...more } = {}) {
  const client = new ZooKeeper({
    connect: hosts,
    timeout: sessionMs,
    debug_level: constants.ZOO_LOG_LEVEL_ERROR,
    host_order_deterministic: true,
    ...more,
  });
  client.seen = [];
  client.on('connecting', () => client.seen.push('connecting'));
  client.on('connect', () => client.seen.push('connect'));
  client.on('close', () => client.seen.push('close'));
  client.init({});
  s.onClose(() => client.close());
  await s.until('it is connected', () => client.seen.length > 0 && client.seen.at(-1) !== 'connecting');
  return client;
}

function stat(it) {
  const order = (zxid) => (String(zxid) === String(it.czxid) ? '=' : '≠');
  const owner = Number(it.ephemeralOwner) === 0 ? 'none' : it.createdInThisSession ? 'mine' : 'another';
  return (
    `stat(version ${it.version}, cversion ${it.cversion}, aversion ${it.aversion}, owner ${owner}, length ${it.dataLength}, ` +
    `children ${it.numChildren}, mzxid${order(it.mzxid)}czxid, pzxid${order(it.pzxid)}czxid)`
  );
}

// oxlint-disable-next-line no-underscore-dangle -- that is its name there
const remove = (client, path, version) => client.delete_(path, version);

async function prepare(s) {
  const client = await open(s);
  await client.create(s.root, '', 0);
  return client;
}

async function znodes(s) {
  const zk = await prepare(s);
  const at = (name) => `${s.root}/${name}`;
  await s.attempt('create', () => zk.create(at('a'), 'one', 0));
  await s.attempt('create again', () => zk.create(at('a'), 'one', 0));
  await s.attempt('create without parent', () => zk.create(at('no/child'), '', 0));
  await s.attempt('sequential', () => zk.create(at('s-'), '', constants.ZOO_PERSISTENT_SEQUENTIAL));
  await s.attempt('ephemeral', () => zk.create(at('e'), Buffer.from('e'), constants.ZOO_EPHEMERAL));
  await s.attempt('ephemeral sequential', () => zk.create(at('es-'), '', constants.ZOO_EPHEMERAL_SEQUENTIAL));
  await s.attempt('container', () => zk.create(at('c'), '', constants.ZOO_CONTAINER));
  await s.attempt('ttl', () => zk.create(at('t'), '', constants.ZOO_PERSISTENT_WITH_TTL, 100_000));
  await s.attempt('ttl sequential', () =>
    zk.create(at('t-'), '', constants.ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL, 100_000),
  );
  await s.attempt('exists', async () => stat(await zk.exists(at('e'), false)));
  await s.attempt('exists not', () => zk.exists(at('missing'), false));
  const data = async (path) => {
    const [its, value] = await zk.get(path, false);
    return [value, stat(its)];
  };
  await s.attempt('get', () => data(at('a')));
  await s.attempt('get missing', () => data(at('missing')));
  await s.attempt('set', async () => stat(await zk.set(at('a'), 'two', 0)));
  await s.attempt('set an old version', () => zk.set(at('a'), 'three', 0));
  await s.attempt('get', () => data(at('a')));
  await s.attempt('children', async () => (await zk.get_children(s.root, false)).sort());
  await s.attempt('children2', async () => {
    const [names, its] = await zk.get_children2(s.root, false);
    return [names.sort(), stat(its)];
  });
  await s.attempt('child of an ephemeral', () => zk.create(at('e/x'), '', 0));
  await s.attempt('sync', () => zk.sync(s.root));
  await s.attempt('delete an old version', () => remove(zk, at('a'), 0));
  await s.attempt('delete', () => remove(zk, at('a'), -1));
  await s.attempt('delete again', () => remove(zk, at('a'), -1));
  await s.attempt('delete a parent', () => remove(zk, s.root, -1));
  await s.attempt('mkdirp', () => {
    return new Promise((resolve, reject) => {
      zk.mkdirp(at('x/y/z'), (error, ok) => (error ? reject(error) : resolve(ok)));
    });
  });
  await s.attempt('made', () => zk.get_children(at('x/y'), false));
  await s.attempt('reconfig', () => zk.reconfig('server.9=127.0.0.1:1:2;3', null, null, -1));
  s.say('timeout:', zk.timeout, 'state:', zk.state);
}

async function acls(s) {
  const zk = await prepare(s);
  const owner = await open(s);
  const added = (client, credential) =>
    new Promise((resolve) => client.add_auth('digest', credential, (rc) => resolve(rc)));
  s.say('add auth:', await added(owner, 'me:secret'));
  const path = `${s.root}/n`;
  await s.attempt('create', () => owner.create(path, 'v', 0));
  const mine = [
    { perms: constants.ZOO_PERM_ALL, scheme: 'auth', auth: '' },
    { perms: constants.ZOO_PERM_READ, scheme: 'world', auth: 'anyone' },
  ];
  await s.attempt('set ACL', () => owner.set_acl(path, 0, mine));
  await s.attempt('set ACL of an old version', () => owner.set_acl(path, 0, mine));
  const acl = async (client) => JSON.stringify((await client.get_acl(path))[0]);
  await s.attempt('ACL for its owner', () => acl(owner));
  await zk.sync(path);
  await s.attempt('ACL for a stranger', () => acl(zk));
  await s.attempt('get by a stranger', async () => (await zk.get(path, false))[1]);
  await s.attempt('set by a stranger', () => zk.set(path, 'w', -1));
  s.say('add auth:', await added(zk, 'me:secret'));
  await s.attempt('set with the password', async () => stat(await zk.set(path, 'w', -1)));
  await s.attempt('an ACL that is none', () => zk.set_acl(path, -1, []));
}

async function watches(s) {
  const zk = await prepare(s);
  const other = await open(s);
  const path = `${s.root}/n`;
  const seen = [];
  const names = { 1: 'created', 2: 'deleted', 3: 'changed', 4: 'child' };
  const watcher = (type, state, its) => seen.push(`${names[type] ?? type} ${its}`);
  const ignore = () => undefined;
  await zk.w_exists(path, watcher).catch(ignore);
  await other.create(path, '0', 0);
  await s.sayEvents('created', seen, 1);
  await zk.sync(path);
  await zk.w_get(path, watcher);
  await other.set(path, '1', -1);
  await s.sayEvents('changed', seen, 1);
  await zk.sync(path);
  await zk.w_get_children(path, watcher);
  await other.create(`${path}/c`, '', constants.ZOO_EPHEMERAL);
  await s.sayEvents('child', seen, 1);
  await zk.sync(path);
  await zk.w_get_children2(path, watcher);
  other.close();
  await s.sayEvents('child gone with its session', seen, 1);
  await zk.w_get(path, watcher);
  await remove(zk, path, -1);
  await s.sayEvents('deleted', seen, 1);
}

async function sessions(s) {
  const other = await prepare(s);
  const relay = await s.relay();
  const zk = await open(s, { hosts: relay.address });
  const seen = [];
  await zk.create(`${s.root}/e`, '', constants.ZOO_EPHEMERAL);
  // Its watchers are told of the session too.
  const watcher = (type) => type > 0 && seen.push(`event ${type}`);
  await zk.w_exists(`${s.root}/later`, watcher).catch(() => undefined);
  const id = zk.client_id;
  zk.seen.splice(0);
  relay.cut();
  await s.until('it is disconnected', () => zk.seen.includes('connecting'));
  await other.create(`${s.root}/later`, '', 0);
  zk.seen.splice(0);
  relay.mend();
  await s.until('it is back', () => zk.seen.includes('connect'));
  await s.sayEvents('made up for', seen, 1);
  s.say('the same session:', zk.client_id === id);
  await s.attempt('ephemeral', async () => stat(await zk.exists(`${s.root}/e`, false)));
  const lapsing = await open(s, { hosts: relay.address, sessionMs: 1000 });
  await lapsing.create(`${s.root}/lapsing`, '', constants.ZOO_EPHEMERAL);
  await other.sync(s.root);
  await other.w_exists(`${s.root}/lapsing`, watcher);
  lapsing.seen.splice(0);
  relay.cut();
  await s.sayEvents('expired', seen, 1);
  relay.mend();
  await s.until('it is told', () => lapsing.seen.includes('close'));
  s.say('state:', lapsing.state);
  await s.attempt('use of it', () => lapsing.get(s.root, false));
}

export const nativeScenarios = {
  'native-znodes': znodes,
  'native-acls': acls,
  'native-watches': watches,
  'native-sessions': sessions,
};
