import { OpCode } from '../../core/protocol/index.js';
import type { Actor } from './actor.js';
import { checkDisk } from './checkers/bounds.js';
import { leftovers, listeners, openFiles } from './checkers/leftovers.js';
import { check, hex } from './checkers/referee.js';
import { isSameData, isSameStat } from './checkers/request-rules.js';
import { areDivided } from './checkers/shard-ledger.js';
import { statOf } from './checkers/tree-model.js';
import { isEpochEverUsedUp } from './plan.js';
import type { Waiting } from './waiting.js';
import { readZnode } from './workloads/subtrees.js';
import type { World } from './world.js';

/** So long no member has changed its role, then none will: longer than any of its timeouts. */
const SETTLED_TICKS = 12;
/** So long the clients go on in the ensemble that is whole again. */
const CALM_TICKS = 20;
/** So long there may be no leader once the faults have stopped; the time that links and disks take comes on top. */
const LEADERLESS_TICKS = 25;
/** Until every member serves and counts: some rejoin, which takes an epoch of its own. */
const WHOLE_TICKS = 100;
/** So long a quorum whose members are all linked may take to serve. */
const QUORUM_TICKS = 60;
const QUIET_MS = 10_000;

/** What must come once the faults have stopped: the members serve and agree, every request is answered, and nothing is left over. */
export class Progress {
  readonly #world: World;
  readonly #waiting: Waiting;

  constructor(world: World, waiting: Waiting) {
    this.#world = world;
    this.#waiting = waiting;
  }

  /** Links stay cut, but those of a quorum among itself: that quorum has a leader and serves. Then the links are whole. */
  async demandQuorum(): Promise<void> {
    const world = this.#world;
    const { cluster, plan, ghost, random, roles } = world;
    roles.expectCalm(null);
    // A voter whose disk was lost counts again only in an epoch of a quorum that counts: it cannot make up one.
    const counted = cluster.members.filter(
      ({ isObserver, member }) => !isObserver && member?.health().rejoining === false,
    );
    const needed = Math.floor(plan.voters / 2) + 1;
    if (counted.length < needed) return;
    const first = Math.floor(random.next() * counted.length);
    const quorum = new Set(
      Array.from({ length: needed }, (_, index) => counted[(first + index) % counted.length]!.name),
    );
    const pairs = cluster.members.flatMap(({ name: one, id }) =>
      cluster.members.filter((other) => other.id > id).map(({ name: other }) => [one, other] as const),
    );
    const cut = pairs.filter(
      ([one, other]) => !(quorum.has(one) && quorum.has(other)) && random.next() < 0.6,
    );
    world.note('net', `stays cut between ${cut.map((pair) => pair.join(' and ')).join(', ')}`);
    for (const [one, other] of cut) cluster.network.partition([one], [other]);
    const before = ghost.list.length;
    const probe = world.enter();
    const written = probe.attempt('create /linked-', () =>
      probe.client.create('/linked-', null, { mode: 'ephemeral-sequential' }),
    );
    // Where the end of a log is ambiguous, a quorum may have to wait until every voter is there, and says so.
    const waits = (): boolean => cluster.members.some(({ member }) => member?.health().waitsFor != null);
    await this.#waiting.until(
      () => waits() || (cluster.leader !== undefined && ghost.list.length > before),
      `${[...quorum].join()} are linked and serve, though others are not`,
      QUORUM_TICKS * plan.tickMs + world.slowestMs + plan.sessionMs,
    );
    if (!waits()) await this.#waiting.settled(written, 'a write is answered while links are cut');
    for (const [one, other] of cut) {
      cluster.network.unblock(one, other);
      cluster.network.unblock(other, one);
    }
    await this.#waiting.settled(written, 'a write is answered once no link is cut');
  }

  /** The ensemble is never long without a leader, all members serve and count, and none of them changes its role any more. */
  async demandLeader(): Promise<void> {
    const world = this.#world;
    const { cluster, plan, roles } = world;
    const { tickMs } = plan;
    const healedAt = world.now;
    let leaderAt = healedAt;
    const isWhole = (): boolean => {
      if (cluster.leader !== undefined) leaderAt = world.now;
      world.referee.watch(() => this.#checkLeaderless(world.now - leaderAt));
      return world.isWhole;
    };
    await this.#waiting.until(
      isWhole,
      'every member serves and counts again',
      WHOLE_TICKS * tickMs + world.slowestMs,
    );
    world.times.whole = (world.now - healedAt) / tickMs;
    if (isEpochEverUsedUp(plan)) return this.#waiting.pass(SETTLED_TICKS * tickMs);
    const isSettled = (): boolean =>
      isWhole() && world.now - Math.max(roles.lastChangeAt, healedAt) > SETTLED_TICKS * tickMs;
    await this.#waiting.until(isSettled, 'no member changes its role any more');
    world.times.settled = (world.now - healedAt) / tickMs;
    roles.expectCalm('no fault has struck since the ensemble was whole');
    await this.#waiting.pass(CALM_TICKS * tickMs);
  }

  /** Everything is answered, and every client and member shows the same. Returns the client that was used to look. */
  async demandAnswers(): Promise<void> {
    const world = this.#world;
    const waiting = this.#waiting;
    world.isOver = true;
    const living = world.actors.filter(({ isAlive }) => isAlive);
    await waiting.until(
      () => living.every(({ client, pending }) => pending.size === 0 && client.state === 'connected'),
      'everything is answered',
    );
    const probe = world.enter();
    await waiting.settled(
      probe.attempt('create /last', () => probe.client.create('/last', null, { mode: 'ephemeral' })),
      'a write is answered',
    );
    await waiting.until(() => this.#abandoned().length === 0, 'the ephemerals of dead clients are gone');
    await waiting.until(
      () => living.every((actor) => this.#isFollowed(actor)),
      'the caches show what is there',
    );
    await waiting.until(
      () => areDivided(living.flatMap(({ shards }) => shards ?? [])),
      'every shard is owned, and nobody owns two more than another',
    );
    await waiting.settled(this.#checkSubtrees(probe), 'what each client alone wrote is read');
    await this.#nothingLeft(() => this.#listenersOn(living), 'no signal has a listener of what is over');
    await waiting.until(
      () => this.#isAgreed() && this.#isIdle(living.length + 1),
      'everybody has applied the same, and no request and no connection is left over',
    );
    this.#compareTrees();
    this.#checkLeaks();
  }

  /** The members hold nothing for clients that have left, and after their own end nothing goes on. */
  async demandEnd(): Promise<void> {
    const { cluster, roles } = this.#world;
    await this.#waiting.settled(cluster.closeClients(), 'every client closes in order');
    await this.#nothingLeft(() => this.#leftovers(), 'nothing is left over');
    roles.expectCalm(null);
    await this.#waiting.settled(this.#leave(), 'every member closes in order');
    check(cluster.clock.pendingTimers === 0, () => `${cluster.clock.pendingTimers} timers are left behind`);
    check(
      cluster.network.connections === 0,
      () => `${cluster.network.connections} connections are left behind`,
    );
    for (const { name, disk } of cluster.members)
      check(disk.openFiles === 0, () => `${name} leaves ${disk.openFiles} files open`);
  }

  #nothingLeft(find: () => readonly string[], what: string): Promise<void> {
    return this.#waiting.until(
      () => find().length === 0,
      () => `${what}: ${find().join('; ')}`,
    );
  }

  /** Of members without clients, and of clients that have closed. */
  #leftovers(): readonly string[] {
    const { cluster, gauges, actors } = this.#world;
    const { members } = cluster;
    return [
      ...members.map(({ id, name }) => leftovers(name, gauges.get(id)!, members.length)),
      ...members.map(({ name, disk }) => openFiles(name, disk)),
      ...actors
        .filter(({ process }) => process.state !== 'dead')
        .map(({ name, signal }) => listeners(name, { 'its own signal': signal })),
    ].filter((left) => left !== '');
  }

  /** Of clients that keep neither a cache nor shards: whatever else listened has ended. */
  #listenersOn(living: readonly Actor[]): readonly string[] {
    return living
      .filter(({ caches, shards }) => caches.length === 0 && shards === null)
      .map(({ name, signal, client }) =>
        listeners(name, { 'its own signal': signal, 'its session': client.session.signal }),
      )
      .filter((left) => left !== '');
  }

  async #leave(): Promise<void> {
    const { cluster } = this.#world;
    await cluster.close();
    // What is on its way at the end arrives.
    await cluster.sleep(QUIET_MS);
  }

  #checkLeaderless(ms: number): void {
    const { plan, slowestMs, times } = this.#world;
    times.leaderless = Math.max(times.leaderless ?? 0, ms / plan.tickMs);
    const most = LEADERLESS_TICKS * plan.tickMs + slowestMs;
    check(
      ms <= most,
      () => `no leader has served for ${ms} ms, though no fault has struck: ${most} are allowed`,
    );
  }

  #isAgreed(): boolean {
    const healths = this.#world.cluster.members.map(({ member }) => member?.health());
    return (
      healths.every((health) => health?.isServing) &&
      new Set(healths.map((health) => `${health?.zxid} ${health?.digest}`)).size === 1
    );
  }

  /** Ephemerals whose owners nobody keeps alive any more. */
  #abandoned(): readonly string[] {
    const { model, ghost, actors } = this.#world;
    const living = new Set(actors.filter(({ isAlive }) => isAlive).map(({ client }) => client.session.id));
    return [...model.sessions]
      .filter(([id, { closedAt }]) => closedAt === null && !living.has(id))
      .flatMap(([id]) => model.ephemeralsOf(id, ghost.end));
  }

  #isFollowed({ caches }: Actor): boolean {
    const { model, ghost } = this.#world;
    return caches.every((cache) =>
      [...model.paths()]
        .filter((path) => path === cache.path || path.startsWith(`${cache.path}/`))
        .every((path) => isSameData(cache.get(path)?.data ?? null, model.at(path, ghost.end)?.data ?? null)),
    );
  }

  /** Every client has one connection, and nobody else has any. */
  #isIdle(clients: number): boolean {
    const all = [...this.#world.gauges.values()];
    const connections = all.reduce((sum, gauges) => sum + gauges.connections, 0);
    return connections === clients && all.every(({ requests }) => requests === 0);
  }

  /** What each client alone wrote is there, as it knows it: the model of the members is not asked. */
  async #checkSubtrees(probe: Actor): Promise<void> {
    const { actors, referee } = this.#world;
    await probe.client.sync('/');
    for (const znode of actors.flatMap(({ subtree }) => subtree)) {
      const found = await readZnode(probe, znode.path);
      referee.watch(() => znode.checkFinal(found));
    }
  }

  /** Every member's tree, znode by znode, is the model's. */
  #compareTrees(): void {
    const { cluster, model, ghost, referee } = this.#world;
    const everything = { sessionId: 0n, identities: [{ scheme: 'super', id: '' }] };
    for (const { id, name } of cluster.members) {
      const machine = this.#world.machines.get(id);
      if (machine === undefined) continue;
      referee.watch(() => {
        check(machine.lastZxid === ghost.end, () => `${name} ends at ${hex(machine.lastZxid)}`);
        for (const path of model.paths()) {
          const node = model.at(path, ghost.end);
          const { reply } = machine.read({ op: OpCode.getData, body: { path, watch: false } }, everything);
          const isSame =
            reply?.op === OpCode.getData
              ? node !== null &&
                isSameData(reply.body.data, node.data) &&
                isSameStat(reply.body.stat, statOf(node))
              : node === null;
          check(isSame, () => `${name} has another ${path} than the model`);
        }
        const open = [...model.sessions]
          .filter(([, { closedAt }]) => closedAt === null)
          .map(([session]) => session);
        const own = [...machine.sessions.keys()];
        check(
          new Set([...open, ...own]).size === open.length && open.length === own.length,
          () => `${name} has the sessions ${own.map(hex).join()}, the model ${open.map(hex).join()}`,
        );
      });
    }
  }

  /** Nothing is left of what is over. */
  #checkLeaks(): void {
    const { cluster, snapshotsKept, referee } = this.#world;
    for (const { name, disk } of cluster.members)
      referee.watch(() => checkDisk(name, disk.names(), snapshotsKept));
  }
}
