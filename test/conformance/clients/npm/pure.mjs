/** The package node-zookeeper-client, which speaks the protocol in JavaScript, as ZooKeeper 3.4 did. */
import client from 'node-zookeeper-client';

const { ACL, CreateMode, Event, Exception, Id, Permission } = client;
const SESSION_MS = 20_000;

/** The same, with promises. */
class Client {
  constructor(s, { hosts = s.turn(), sessionMs = SESSION_MS, ...more } = {}) {
    this.states = [];
    this.raw = client.createClient(hosts, { sessionTimeout: sessionMs, spinDelay: 50, ...more });
    this.raw.on('state', (state) => this.states.push(state.getName()));
    s.onClose(() => this.close());
    this.raw.connect();
  }

  static async open(s, options) {
    const opened = new Client(s, options);
    await s.until('it is connected', () => opened.states.length > 0);
    return opened;
  }

  close() {
    if (this.raw.getState() !== client.State.SYNC_CONNECTED) return Promise.resolve();
    return new Promise((resolve) => {
      this.raw.once('disconnected', resolve);
      this.raw.close();
    });
  }

  call(method, ...args) {
    return new Promise((resolve, reject) => {
      this.raw[method](...args, (error, ...results) => {
        if (error) reject(error instanceof Exception ? named(error) : error);
        else resolve(results.length > 1 ? results : results[0]);
      });
    });
  }

  /** Waits until its server has everything that was written before: a write of its own comes behind it. */
  catchUp(path) {
    return this.call('setData', path, Buffer.from(''), -1);
  }
}

const named = (error) => new Error(error.getName());

function stat(it) {
  const order = (zxid) => Math.sign(Buffer.compare(zxid, it.czxid));
  const owner = it.ephemeralOwner.every((byte) => byte === 0) ? 'none' : 'a session';
  return (
    `stat(version ${it.version}, cversion ${it.cversion}, aversion ${it.aversion}, owner ${owner}, length ${it.dataLength}, ` +
    `children ${it.numChildren}, mzxid ${order(it.mzxid)}, pzxid ${order(it.pzxid)})`
  );
}

async function prepare(s) {
  const zk = await Client.open(s);
  await zk.call('create', s.root);
  return zk;
}

async function znodes(s) {
  const zk = await prepare(s);
  const at = (name) => `${s.root}/${name}`;
  const data = (text) => Buffer.from(text);
  const got = ([value, its]) => [value, stat(its)];
  await s.attempt('create', () => zk.call('create', at('a'), data('one')));
  await s.attempt('create again', () => zk.call('create', at('a'), data('one')));
  await s.attempt('create without parent', () => zk.call('create', at('no/child')));
  await s.attempt('without data', () => zk.call('create', at('null')));
  await s.attempt('get it', async () => got(await zk.call('getData', at('null'))));
  for (const mode of ['PERSISTENT_SEQUENTIAL', 'EPHEMERAL', 'EPHEMERAL_SEQUENTIAL'])
    await s.attempt(mode, () => zk.call('create', at('m-'), CreateMode[mode]));
  await s.attempt('exists', async () => stat(await zk.call('exists', at('m-'), null)));
  await s.attempt('exists not', () => zk.call('exists', at('missing'), null));
  await s.attempt('get', async () => got(await zk.call('getData', at('a'))));
  await s.attempt('get missing', () => zk.call('getData', at('missing')));
  await s.attempt('set', async () => stat(await zk.call('setData', at('a'), data('two'), 0)));
  await s.attempt('set an old version', () => zk.call('setData', at('a'), data('three'), 0));
  await s.attempt('child of an ephemeral', () => zk.call('create', at('m-/x')));
  await s.attempt('mkdirp', () => zk.call('mkdirp', at('x/y')));
  await s.attempt('children', async () => {
    const [names, its] = await zk.call('getChildren', s.root);
    return [names.sort(), stat(its)];
  });
  await s.attempt('subtree', () => zk.call('listSubTreeBFS', at('x')));
  await s.attempt('remove an old version', () => zk.call('remove', at('a'), 0));
  await s.attempt('remove', () => zk.call('remove', at('a')));
  await s.attempt('remove again', () => zk.call('remove', at('a')));
  await s.attempt('remove a parent', () => zk.call('remove', s.root));
  await s.attempt('remove it all', () => zk.call('removeRecursive', at('x'), -1));
  const sent = Array.from({ length: 200 }, (_, i) => zk.call('create', at(`p${i}`), data(`${i}`)));
  s.say(
    'at once:',
    (await Promise.all(sent)).every((path, i) => path === at(`p${i}`)),
  );
}

async function transactions(s) {
  const zk = await prepare(s);
  const at = (name) => `${s.root}/${name}`;
  await zk.call('create', at('n'), Buffer.from('0'));
  const commit = (what, build) =>
    new Promise((resolve) => {
      build(zk.raw.transaction()).commit((error, results) => {
        const each = (results ?? []).map(
          ({ path, stat: its, err }) => path ?? (its ? stat(its) : `code ${err}`),
        );
        s.say(`${what}:`, error ? named(error).message : 'ok', each.join(', '));
        resolve();
      });
    });
  await commit('all kinds', (t) =>
    t
      .check(at('n'), 0)
      .create(at('a'), Buffer.from('1'))
      .setData(at('n'), Buffer.from('1'), 0)
      .create(at('e'), CreateMode.EPHEMERAL)
      .remove(at('e'), 0),
  );
  await commit('parent and child', (t) => t.create(at('p')).create(at('p/c')));
  await commit('first fails', (t) => t.check(at('n'), 7).create(at('never')));
  await commit('last fails', (t) =>
    t.create(at('never')).setData(at('n'), Buffer.from('never'), -1).create(at('a')),
  );
  await commit('missing', (t) => t.remove(at('missing'), -1));
  await commit('numbers', (t) =>
    t.create(at('s-'), CreateMode.PERSISTENT_SEQUENTIAL).create(at('s-'), CreateMode.PERSISTENT_SEQUENTIAL),
  );
  await s.attempt('children', async () => (await zk.call('getChildren', s.root))[0].sort());
  await s.attempt('data', async () => (await zk.call('getData', at('n')))[0]);
}

async function acls(s) {
  const zk = await prepare(s);
  const owner = await Client.open(s);
  owner.raw.addAuthInfo('digest', Buffer.from('me:secret'));
  const path = `${s.root}/n`;
  await s.attempt('create', () => owner.call('create', path, Buffer.from('v'), ACL.CREATOR_ALL_ACL));
  const acl = async (by) => {
    const [list, its] = await by.call('getACL', path);
    return [list.map(({ permission, id }) => `${permission} ${id.scheme}:${id.id}`), stat(its)];
  };
  await s.attempt('ACL for its owner', () => acl(owner));
  await zk.catchUp(s.root);
  await s.attempt('ACL for a stranger', () => acl(zk));
  await s.attempt('get by a stranger', () => zk.call('getData', path));
  const readable = [...ACL.CREATOR_ALL_ACL, ...ACL.READ_ACL_UNSAFE];
  await s.attempt('set ACL', async () => stat(await owner.call('setACL', path, readable, 0)));
  await s.attempt('set ACL of an old version', () => owner.call('setACL', path, readable, 0));
  await zk.catchUp(s.root);
  await s.attempt('get by a stranger', async () => (await zk.call('getData', path))[0]);
  await s.attempt('ACL for a stranger', () => acl(zk));
  const wrong = [new ACL(Permission.ALL, new Id('magic', 'x'))];
  await s.attempt('an unknown scheme', () => owner.call('setACL', path, wrong, -1));
  await s.attempt('creator without a name', () =>
    zk.call('create', `${s.root}/m`, null, ACL.CREATOR_ALL_ACL),
  );
  const failing = await Client.open(s);
  failing.raw.addAuthInfo('magic', Buffer.from('x'));
  await s.until('it is told', () => failing.states.includes('AUTH_FAILED'));
  s.say('unknown authentication:', failing.states.slice(0, 2).join(', '));
}

async function watches(s) {
  const zk = await prepare(s);
  const other = await Client.open(s);
  const path = `${s.root}/n`;
  const seen = [];
  const watcher = (event) => seen.push(`${event.getName()} ${event.getPath()}`);
  const ignore = () => undefined;
  await zk.call('exists', path, watcher).catch(ignore);
  await other.call('create', path);
  await s.sayEvents('created', seen, 1);
  await zk.catchUp(s.root);
  await zk.call('getData', path, watcher);
  await other.call('setData', path, Buffer.from('1'), -1);
  await s.sayEvents('changed', seen, 1);
  await zk.catchUp(s.root);
  await zk.call('getChildren', path, watcher);
  await other.call('create', `${path}/c`, CreateMode.EPHEMERAL);
  await s.sayEvents('child', seen, 1);
  await zk.catchUp(s.root);
  await zk.call('getChildren', path, watcher);
  await other.close();
  await s.sayEvents('child gone with its session', seen, 1);
  await zk.call('getData', path, watcher);
  await zk.call('remove', path);
  await s.sayEvents('deleted', seen, 1);
  s.say(
    'names:',
    Object.keys(Event)
      .filter((name) => name.startsWith('NODE_'))
      .join(', '),
  );
}

async function sessions(s) {
  const other = await prepare(s);
  const relay = await s.relay();
  const zk = await Client.open(s, { hosts: relay.address });
  const seen = [];
  const watcher = (event) => seen.push(event.getName());
  await zk.call('create', `${s.root}/e`, CreateMode.EPHEMERAL);
  await zk.call('exists', `${s.root}/later`, watcher);
  const id = zk.raw.getSessionId().toString('hex');
  relay.cut();
  await s.until('it is disconnected', () => zk.states.includes('DISCONNECTED'));
  await other.call('create', `${s.root}/later`);
  relay.mend();
  await s.until('it is back', () => zk.states.at(-1) === 'SYNC_CONNECTED');
  await s.sayEvents('made up for', seen, 1);
  s.say('states:', zk.states.join(', '), 'the same session:', zk.raw.getSessionId().toString('hex') === id);
  await s.attempt('ephemeral', async () => stat(await zk.call('exists', `${s.root}/e`, null)));

  relay.cut();
  await s.until('it is disconnected', () => zk.states.at(-1) === 'DISCONNECTED');
  const [sessionId, sessionPassword] = [zk.raw.getSessionId(), zk.raw.getSessionPassword()];
  const heir = await Client.open(s, { sessionId, sessionPassword });
  s.say('taken up by another:', heir.raw.getSessionId().toString('hex') === id);
  await s.attempt('ephemeral', async () => stat(await heir.call('exists', `${s.root}/e`, null)));
  await heir.close();
  await other.catchUp(s.root);
  await s.attempt('closed with what it had', () => other.call('exists', `${s.root}/e`, null));
  relay.mend();
  await s.until('the first is told', () => zk.states.includes('EXPIRED'));
  s.say('states:', zk.states.slice(2, 5).join(', '));

  const lapsing = await Client.open(s, { hosts: relay.address, sessionMs: 1000 });
  s.say('timeout:', lapsing.raw.getSessionTimeout());
  await lapsing.call('create', `${s.root}/lapsing`, CreateMode.EPHEMERAL);
  await other.catchUp(s.root);
  await other.call('exists', `${s.root}/lapsing`, watcher);
  relay.cut();
  await s.sayEvents('expired', seen, 1);
  relay.mend();
  await s.until('it is told', () => lapsing.states.includes('EXPIRED'));
  s.say('states:', lapsing.states.slice(0, 3).join(', '));
}

async function chroot(s) {
  const outside = await prepare(s);
  await outside.call('create', `${s.root}/inside`);
  const zk = await Client.open(s, { hosts: `${s.turn()}${s.root}/inside` });
  await zk.call('create', '/a');
  await zk.call('create', '/s-', CreateMode.PERSISTENT_SEQUENTIAL).then((path) => s.say('path:', path));
  const seen = [];
  await zk.call('getData', '/a', (event) => seen.push(`${event.getName()} ${event.getPath()}`));
  await outside.call('setData', `${s.root}/inside/a`, Buffer.from('1'), -1);
  await s.sayEvents('event', seen, 1);
  await s.attempt('from outside', async () =>
    (await outside.call('getChildren', `${s.root}/inside`))[0].sort(),
  );
}

export const pureScenarios = {
  'pure-znodes': znodes,
  'pure-transactions': transactions,
  'pure-acls': acls,
  'pure-watches': watches,
  'pure-sessions': sessions,
  'pure-chroot': chroot,
};
