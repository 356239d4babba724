/** The chapters of the story: each makes something happen, watches it happen, and returns what it measured. */
import { Queues, Services, type Application, type Client } from 'quorate';
import type { Ensemble } from './ensemble.js';
import type { Fleet } from './fleet.js';
import { LEDGER_PATH, orders } from './shop.js';
import { SteadyWriter } from './steady-writer.js';
import { machineNowMs } from './told.js';

export interface Stage {
  readonly app: Application;
  readonly client: Client;
  readonly fleet: Fleet;
  readonly ensemble: Ensemble;
  readonly say: (line: string) => void;
}

/** One line of the summary. */
export interface Finding {
  readonly what: string;
  readonly measured: string;
  readonly isRight: boolean;
}

const PATIENCE_MS = 30_000;
const ORDERS = 200;
const ENTRIES_EACH = 10;

export async function servicesAreFoundByName({ app, client, fleet, say }: Stage): Promise<Finding[]> {
  const services = app.get(Services);
  await fleet.until('three workers to be ready', () => fleet.told('ready').length === 3, PATIENCE_MS);
  // Another member took the registrations: `sync` makes sure that this client's member has heard of them too.
  await client.sync('/services');
  const instances = await services.find('shop');
  const answers = await Promise.all(
    instances.map(async ({ address, port }) => (await fetch(`http://${address}:${port}`)).text()),
  );
  for (const answer of answers.toSorted()) say(`found by name: ${answer}`);
  return [
    {
      what: 'services found by name and answering',
      measured: `${answers.length} of 3`,
      isRight: new Set(answers).size === 3,
    },
  ];
}

export async function configurationReloads({ client, fleet, say }: Stage): Promise<Finding[]> {
  const writtenAtMs = machineNowMs();
  await client.create('/config/shop', JSON.stringify({ currency: 'USD', dailyLimit: 2500 }), {
    createParents: true,
  });
  const applied = () => fleet.told('config-applied').filter(({ dailyLimit }) => dailyLimit === 2500);
  await fleet.until('three reloads', () => applied().length === 3, PATIENCE_MS);
  const slowestMs = Math.max(...applied().map(({ atMs }) => atMs)) - writtenAtMs;
  say(
    `configuration changed once, reloaded in ${applied().length} processes within ${slowestMs.toFixed(1)} ms`,
  );

  await client.setData('/config/shop', JSON.stringify({ currency: 'shells', dailyLimit: -1 }));
  const refused = () => fleet.told('config-refused');
  await fleet.until('three refusals', () => refused().length === 3, PATIENCE_MS);
  say(`an invalid configuration refused: ${refused()[0]!.violations.join('; ')}`);
  return [
    {
      what: 'processes that reloaded a changed configuration',
      measured: `${applied().length} of 3, the slowest after ${slowestMs.toFixed(1)} ms`,
      isRight: applied().length === 3,
    },
    {
      what: 'processes that refused an invalid one and kept the last good',
      measured: `${refused().length} of 3`,
      isRight: refused().length === 3 && refused().every(({ dailyLimit }) => dailyLimit === 2500),
    },
  ];
}

export async function lockIsNeverHeldTwice({ client, fleet, say }: Stage): Promise<Finding[]> {
  await client.create(LEDGER_PATH, '0');
  fleet.ask({ type: 'make-entries', count: ENTRIES_EACH });
  const expected = 3 * ENTRIES_EACH;
  await fleet.until('all entries', () => fleet.told('entry-made').length >= expected, PATIENCE_MS);
  const entries = fleet.told('entry-made').toSorted((a, b) => a.enteredAtMs - b.enteredAtMs);
  const overlaps = entries.filter(
    (entry, index) => index > 0 && entry.enteredAtMs < entries[index - 1]!.atMs,
  );
  const fencesGrow = entries.every(
    (entry, index) => index === 0 || BigInt(entry.fence) > BigInt(entries[index - 1]!.fence),
  );
  // Another member took the last entry: `sync` makes sure that this client's member has seen it too.
  await client.sync(LEDGER_PATH);
  const { data } = await client.getData(LEDGER_PATH);
  const balance = Number(new TextDecoder().decode(data ?? new Uint8Array()));
  const handovers = entries.filter(
    (entry, index) => index > 0 && entry.worker !== entries[index - 1]!.worker,
  ).length;
  const holders = new Set(entries.map(({ worker }) => worker)).size;
  say(
    `lock taken ${entries.length} times by ${holders} processes, ${handovers} hand-overs, ledger at ${balance}`,
  );
  return [
    {
      what: 'lock contended by three, times held twice at once',
      measured: `${overlaps.length} of ${entries.length}; entries lost: ${expected - balance}`,
      isRight: overlaps.length === 0 && balance === expected && holders === 3 && fencesGrow,
    },
  ];
}

export async function leaderIsReplaced({ app, fleet, say }: Stage): Promise<Finding[]> {
  await fleet.until('a leader that has run', () => fleet.told('run').length >= 2, PATIENCE_MS);
  const leader = fleet.told('run').at(-1)!.worker;
  const beforeKill = new Set(fleet.told('run').map(({ worker }) => worker));
  say(`leader-only job runs in one process: ${[...beforeKill].join(', ')}`);

  // The leader keeps every order that it begins: it has some in hand at the kill, however fast or slow the machine is.
  fleet.askOne(leader, { type: 'slow-down' });
  await fleet.until(`${leader} to slow down`, () => fleet.told('slowed').length > 0, PATIENCE_MS);
  const queue = app.get(Queues).of(orders);
  await Promise.all(Array.from({ length: ORDERS }, (_, index) => queue.enqueue({ number: index + 1 })));
  say(`${ORDERS} orders in the queue`);
  const hasOneInHand = () => unfinished(fleet, leader).length > 0 && fleet.told('order-done').length >= 20;
  await fleet.until(`${leader} to have an order in hand`, hasOneInHand, PATIENCE_MS);
  const killedAtMs = machineNowMs();
  await fleet.kill(leader);
  const orphans = unfinished(fleet, leader);
  say(`SIGKILL to ${leader}, the leader, with ${orphans.length} orders in hand`);

  const next = () =>
    fleet.told('run').find(({ worker, startedAtMs }) => worker !== leader && startedAtMs > killedAtMs);
  await fleet.until('the next leader', () => next() !== undefined, PATIENCE_MS);
  const gapMs = next()!.startedAtMs - killedAtMs;
  say(`${next()!.worker} leads, ${gapMs.toFixed(0)} ms after the kill`);

  const done = () => new Set(fleet.told('order-done').map(({ order }) => order));
  await fleet.until('all orders to be done', () => done().size === ORDERS, PATIENCE_MS);
  const redone = orphans.filter((order) =>
    fleet.told('order-done').some((told) => told.order === order && told.worker !== leader),
  );
  say(`${done().size} orders done, ${redone.length} of the killed worker's done again by another`);
  return [
    {
      what: 'processes that ran the leader-only job before the kill',
      measured: `${beforeKill.size}`,
      isRight: beforeKill.size === 1,
    },
    {
      what: 'time from SIGKILL of the leader to the next one leading',
      measured: `${gapMs.toFixed(0)} ms`,
      isRight: leadershipsDoNotOverlap(fleet),
    },
    { what: 'orders done', measured: `${done().size} of ${ORDERS}`, isRight: done().size === ORDERS },
    {
      what: "killed worker's orders done again by another",
      measured: `${redone.length} of ${orphans.length}`,
      isRight: orphans.length > 0 && redone.length === orphans.length,
    },
  ];
}

export async function memberIsReplaced({ client, ensemble, say }: Stage): Promise<Finding[]> {
  const path = '/written-through-the-crash';
  await client.create(path, '0');
  const leader = await ensemble.leader();
  const writer = new SteadyWriter(client, path);
  await writer.hasWritten(20);
  const killedAtMs = machineNowMs();
  await ensemble.kill(leader);
  say(`SIGKILL to member ${leader}, which led the ensemble`);
  await writer.hasWritten(20);
  const gapMs = writer.firstAfter(killedAtMs) - killedAtMs;
  say(`member ${await ensemble.leader()} leads; writes go on ${gapMs.toFixed(0)} ms after the kill`);

  ensemble.restart(leader);
  const restartedAtMs = machineNowMs();
  await ensemble.until('the member to be back', (all) => all.every((health) => health?.isServing === true));
  const backMs = machineNowMs() - restartedAtMs;
  await writer.hasWritten(20);
  await writer.stop();
  const healths = await ensemble.until(
    'equal states',
    (all) => new Set(all.map((health) => health?.zxid)).size === 1,
  );
  const digests = new Set(healths.map((health) => health?.digest));
  const { stat } = await client.getData(path);
  const missing = Math.max(0, writer.acknowledged - stat.version);
  say(
    `member ${leader} is back after ${backMs.toFixed(0)} ms; ${writer.acknowledged} writes acknowledged, ${missing} missing`,
  );
  return [
    {
      what: 'time from SIGKILL of the leading member to the next write',
      measured: `${gapMs.toFixed(0)} ms`,
      isRight: gapMs > 0,
    },
    {
      what: 'acknowledged writes missing',
      measured: `${missing} of ${writer.acknowledged}`,
      isRight: missing === 0,
    },
    {
      what: 'members equal, by digest, with the killed one back',
      measured: `${healths.filter((health) => health?.digest === healths[0]?.digest).length} of 3`,
      isRight: digests.size === 1 && healths.length === 3,
    },
  ];
}

/** Orders that a worker has started and has not told to be done. */
function unfinished(fleet: Fleet, worker: string): number[] {
  const done = new Set(fleet.told('order-done').map(({ order }) => order));
  const started = fleet.told('order-started').filter((told) => told.worker === worker);
  return [...new Set(started.map(({ order }) => order))].filter((order) => !done.has(order));
}

/** Runs of a lower fence never begin after one of a higher fence has. */
function leadershipsDoNotOverlap(fleet: Fleet): boolean {
  const runs = fleet.told('run').toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  return runs.every((run, index) => index === 0 || BigInt(run.fence) >= BigInt(runs[index - 1]!.fence));
}
