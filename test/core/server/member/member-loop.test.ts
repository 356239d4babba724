/** What the loop leaves undone at a wrong moment; all its parts are stand-ins that note what is asked of them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLogger, type Clock } from '../../../../core/runtime/index.js';
import { TurnScheduler } from '../../../../core/server/pipeline/index.js';
import { MemberLoop, type MemberLoopParts } from '../../../../core/server/member/member-loop.js';

/** Time that a test moves by hand, with one timer and tasks for the next turn. */
class HandClock {
  time = 0;
  timer: (() => void) | null = null;
  #soon: (() => void)[] = [];

  now = (): number => this.time;
  soon = (task: () => void): void => void this.#soon.push(task);
  setTimer = (_ms: number, task: () => void): { cancel: () => void } => {
    this.timer = task;
    return { cancel: () => undefined };
  };

  /** The timer fires so much later, and every turn that follows from it runs. */
  pass(ms: number): void {
    this.time += ms;
    this.timer?.();
    this.turn();
  }

  turn(): void {
    for (const task of this.#soon.splice(0)) task();
  }
}

interface Stage {
  readonly clock: HandClock;
  readonly begun: unknown[];
  readonly sessionTicks: number[];
  isReceiving: boolean;
}

function ready(committed: readonly unknown[]): unknown {
  const lists = [
    'messages',
    'disconnects',
    'install',
    'received',
    'pings',
    'readIndexes',
    'reads',
    'snapshots',
  ];
  return { persist: null, status: null, committed, ...Object.fromEntries(lists.map((list) => [list, []])) };
}

/** A loop that runs, with a snapshot that is due. */
function running(): Stage {
  const clock = new HandClock();
  const stage = start(clock);
  clock.pass(50);
  return stage;
}

function start(clock: HandClock, others?: object): Stage {
  const stage: Stage = { clock, begun: [], sessionTicks: [], isReceiving: false };
  const nothing = (): void => undefined;
  const machine = { lastZxid: 7n };
  const parts = {
    clock,
    logger: silentLogger,
    options: { tickMs: 100, entriesPerTurn: 1_000 },
    committed: { apply: nothing },
    peer: { tick: nothing, ready: () => null, hasCommitted: false, epochsUpTo: () => [], status: () => ({}) },
    state: { machine },
    turns: new TurnScheduler(clock as unknown as Clock),
    pipeline: {
      flush: nothing,
      stamp: nothing,
      reap: nothing,
      nextOutcome: nothing,
      isServing: false,
      tick: (now: number) => stage.sessionTicks.push(now),
    },
    clients: {
      work: nothing,
      unstall: nothing,
      proceed: nothing,
      flush: nothing,
      tick: nothing,
      hasWork: false,
    },
    snapshotter: { isDue: others === undefined, begin: (...given: unknown[]) => stage.begun.push(given) },
    snapshotsIn: {
      settle: () => undefined,
      get isReceiving(): boolean {
        return stage.isReceiving;
      },
      waitingBytes: 0,
    },
    recounter: { tick: nothing, cancel: nothing },
    storage: { proveEnd: async () => undefined },
    directory: { tick: nothing },
    links: null,
    gauges: { turned: nothing },
    failed: (error: unknown) => {
      throw error;
    },
    statusChanged: nothing,
  };
  new MemberLoop({ ...parts, ...others } as unknown as MemberLoopParts).start();
  return stage;
}

test('a snapshot of the old state is not begun while one of the leader is coming in', () => {
  const stage = running();
  assert.is(stage.begun.length, 1, 'it is due');
  stage.isReceiving = true;

  stage.clock.pass(50);
  assert.is(stage.begun.length, 1);

  stage.isReceiving = false;
  stage.clock.pass(50);
  assert.is(stage.begun.length, 2);
});

test('after a pause of its process a leader expires no session before the packets that wait are read', () => {
  const stage = running();
  assert.equal(stage.sessionTicks, [0, 50]);

  stage.clock.pass(1_000);
  assert.equal(stage.sessionTicks, [0, 50], 'the first tick after the pause');

  stage.clock.pass(50);
  assert.equal(stage.sessionTicks, [0, 50, 1_100], 'the turn before has read them');
});

test('after a pause of its process a member answers nothing until a quorum is confirmed, if the timer comes first too', () => {
  const clock = new HandClock();
  const nothing = (): void => undefined;
  let held = 0;
  start(clock, {
    pipeline: {
      isServing: true,
      flush: nothing,
      stamp: nothing,
      reap: nothing,
      tick: nothing,
      nextOutcome: nothing,
    },
    clients: {
      work: nothing,
      unstall: nothing,
      proceed: nothing,
      flush: nothing,
      tick: nothing,
      hasWork: false,
      holdUntilConfirmed: () => void (held += 1),
    },
  });
  const counts = [50, 1_000, 50, 1_000].map((ms) => {
    clock.pass(ms);
    return held;
  });
  assert.equal(counts, [0, 1, 1, 2]);
});

test('a turn applies no more entries than it may, and the next one goes on', () => {
  const clock = new HandClock();
  const turns: number[] = [];
  let left = 25;
  const peer = {
    tick: () => undefined,
    get hasCommitted(): boolean {
      return left > 0;
    },
    ready: (most: number) => {
      const committed = Array.from({ length: Math.min(most, left) }, () => ({ payload: [] }));
      left -= committed.length;
      return committed.length === 0 ? null : ready(committed);
    },
  };
  const flush = (): void => void turns.push(left);
  start(clock, {
    peer,
    options: { tickMs: 100, entriesPerTurn: 10 },
    links: { flush, tick: () => undefined },
  });
  for (let turn = 0; turn < 5; turn++) clock.turn();
  assert.equal(turns, [15, 5, 0]);
});

test('a turn that has applied entries for its time leaves the rest to the next one', () => {
  const clock = new HandClock();
  const turns: number[] = [];
  let left = 250;
  const peer = {
    tick: () => undefined,
    get hasCommitted(): boolean {
      return left > 0;
    },
    ready: (most: number) => {
      const committed = Array.from({ length: Math.min(most, left, 100) }, () => ({ payload: [] }));
      left -= committed.length;
      clock.time += committed.length === 0 ? 0 : 6;
      return committed.length === 0 ? null : ready(committed);
    },
  };
  const flush = (): void => void turns.push(left);
  start(clock, {
    peer,
    options: { tickMs: 100, entriesPerTurn: 1e6 },
    links: { flush, tick: () => undefined },
  });
  for (let turn = 0; turn < 5; turn++) clock.turn();
  assert.equal(turns, [150, 50, 0]);
});

test.run();
