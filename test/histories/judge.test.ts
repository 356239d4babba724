import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CreateMode,
  ErrorCode,
  OpCode,
  OPEN_ACL,
  WatchEventType,
  type CreateRequest,
  type Request,
} from '../../core/protocol/index.js';
import { makeZxid } from '../../core/zab/index.js';
import { describeContradiction } from './describe.js';
import { figuresOf } from './figures.js';
import type { History, Rule } from './history.js';
import { judge } from './judge.js';
import { bytesOf, create, DIRECTORIES, REGISTERS, ROOT, setUp } from './places.js';
import { SampleHistory, type SampleConnection } from './sample-history.js';

const [REGISTER, OTHER] = REGISTERS as [string, string];
const ok = { error: ErrorCode.ok };

function set(path: string, data: string, version = -1): Request {
  return { op: OpCode.setData, body: { path, data: bytesOf(data), version } };
}
function get(path: string, watch = false): Request {
  return { op: OpCode.getData, body: { path, watch } };
}
function ephemeral(path: string): Request {
  return create(path, '', OPEN_ACL, CreateMode.ephemeral);
}
function multi(...ops: readonly Request[]): Request {
  return { op: OpCode.multi, body: { ops } } as Request;
}
const sequential = create(`${DIRECTORIES.sequence}/n-`, '', OPEN_ACL, CreateMode.persistentSequential);
const closing: Request = { op: OpCode.closeSession, body: {} };
const sync: Request = { op: OpCode.sync, body: { path: '/' } };
const limit = create(`${DIRECTORIES.limited}/x`);
function withTtl(ttlMs: number): Request {
  const body: CreateRequest = {
    path: `${DIRECTORIES.expiring}/t`,
    data: null,
    acl: OPEN_ACL,
    flags: CreateMode.persistentWithTtl,
    ttlMs,
  };
  return { op: OpCode.createTtl, body };
}

/** A history that one client has begun, with the tree in which all work. */
function begun(options?: { enforceQuota: boolean }): { history: SampleHistory; client: SampleConnection } {
  const history = new SampleHistory(options);
  const client = history.open('c1');
  for (const request of setUp()) client.asks(request);
  return { history, client };
}

/** Exactly what is said to contradict. */
function finds(history: History, ...expected: readonly (readonly [Rule, RegExp])[]): void {
  const found = judge(history);
  const shown = found.map((each) => describeContradiction(history, each)).join('\n');
  assert.is(found.length, expected.length, shown);
  for (const [index, [rule, text]] of expected.entries()) {
    assert.is(found[index]!.rule, rule, shown);
    assert.match(found[index]!.text, text);
  }
}

test('a history of writes, reads, watches, sessions and removals without a fault contradicts nothing', () => {
  const { history, client } = begun();
  const other = history.open('c2');
  client.asks(set(REGISTER, 'one'));
  client.asks(get(REGISTER, true));
  other.asks(sync);
  const { zxid } = other.asks(set(REGISTER, 'two', 1));
  client.isNotified(zxid, WatchEventType.dataChanged, REGISTER);
  client.asks(get(REGISTER));
  client.asks(set(REGISTER, 'refused', 0));
  client.asks(sequential);
  other.asks(sequential);
  client.asks(multi(set(REGISTER, 'three'), ephemeral(`${ROOT}/e`)));
  client.asks(multi(set(REGISTER, 'four'), create(REGISTER)));
  other.asks(withTtl(300));
  history.now += 500;
  history.commit({ op: OpCode.deleteContainer, body: { path: `${DIRECTORIES.expiring}/t` } }, 0n, 0);
  other.asks(closing);
  history.now += 2000;
  history.commit(closing, client.sessionId, 0);
  const late = history.connection('c1', client.sessionId);
  late.greets();
  late.isWelcomed(true);

  finds(history.history());
  assert.equal(figuresOf(history.history()), {
    operations: setUp().length + 12,
    replies: setUp().length + 12,
    events: 1,
    connections: 3,
    sessions: 2,
    unknown: 0,
    transactions: setUp().length + 13,
    epochs: 1,
  });
});

test('replies in another order than their requests are named', () => {
  const { history, client } = begun();
  const [first, second] = [client.sends(get(REGISTER)), client.sends(get(OTHER))];
  client.isAnswered(second, client.takesEffect(get(OTHER), second));
  client.isAnswered(first, client.takesEffect(get(REGISTER), first));

  finds(history.history(), ['connection', /is answered request \d+, when \d+ was due/]);
});

test('a read that shows a later write of its own session is named', () => {
  const { history, client } = begun();
  const [read, write] = [client.sends(get(REGISTER)), client.sends(set(REGISTER, 'later'))];
  const written = client.takesEffect(set(REGISTER, 'later'), write);
  client.isAnswered(read, client.takesEffect(get(REGISTER), read));
  client.isAnswered(write, written);

  finds(history.history(), ['connection', /an earlier request saw a later write/]);
});

test('a reply to a write with the zxid of another transaction is named', () => {
  const { history, client } = begun();
  const other = history.open('c2');
  const xid = client.sends(set(REGISTER, 'own'));
  const outcome = client.takesEffect(set(REGISTER, 'own'), xid);
  const { zxid } = other.asks(set(OTHER, 'other'));
  client.isAnswered(xid, { ...outcome, zxid });

  finds(history.history(), ['connection', /setData .* with the zxid/]);
});

test('a zxid that falls on the next connection of a session is named', () => {
  const { history, client } = begun();
  const old = client.asks(get(REGISTER));
  const { zxid } = client.asks(set(OTHER, 'new'));
  const next = history.connection('c1', client.sessionId);
  next.greets(client.sessionId, zxid);
  next.isWelcomed();
  next.isAnswered(next.sends(get(REGISTER)), old);

  finds(history.history(), ['connection', /is led back in time/]);
});

test('a reply of an epoch whose end was cut is named', () => {
  const { history, client } = begun();
  const xid = client.sends(get(REGISTER));
  client.isAnswered(xid, { ...client.takesEffect(get(REGISTER), xid), zxid: makeZxid(2, 5) });

  finds(
    history.history(),
    ['session', /which is in no member's history/],
    ['connection', /only 0x\w+ was ever delivered/],
  );
});

test('an acknowledged write that is in no log is named', () => {
  const { history, client } = begun();
  const xid = client.sends(set(REGISTER, 'lost'));
  const { reply } = client.asks(set(OTHER, 'kept'));
  history.traffic.splice(-2);
  client.isAnswered(xid, { ...ok, zxid: history.end, reply });

  finds(history.history(), ['connection', /there is no such transaction/]);
});

test('a read that shows one half of a multi is named', () => {
  const { history, client } = begun();
  const other = history.open('c2');
  const before = other.takesEffect(get(OTHER), 0);
  const both = multi(set(REGISTER, 'both'), set(OTHER, 'both'));
  const { zxid } = client.asks(both);
  other.isAnswered(other.sends(get(REGISTER)), other.takesEffect(get(REGISTER), 0));
  other.isAnswered(other.sends(get(OTHER)), { ...before, zxid });

  finds(history.history(), ['connection', /tells other data of/]);
});

test('a part of a failed multi that is told to have worked is named', () => {
  const { history, client } = begun();
  const failing = multi(set(REGISTER, 'half'), create(REGISTER));
  const xid = client.sends(failing);
  const outcome = client.takesEffect(failing, xid);
  const stat = client.takesEffect(get(REGISTER), 0).reply!.body as { stat: never };
  const results = [
    { reply: { op: OpCode.setData, body: { stat: stat.stat } } },
    { error: ErrorCode.nodeExists },
  ] as const;
  client.isAnswered(xid, { ...outcome, reply: { op: OpCode.multi, body: { results } } });

  finds(history.history(), ['connection', /has a part that is told to have worked/]);
});

test('a sequential znode whose number does not rise is named', () => {
  const { history, client } = begun();
  client.asks(sequential);
  const xid = client.sends(sequential);
  const { zxid } = client.takesEffect(sequential, xid);
  const path = `${DIRECTORIES.sequence}/n-0000000000`;
  client.isAnswered(xid, { ...ok, zxid, reply: { op: OpCode.create, body: { path } } });

  finds(
    history.history(),
    ['connection', /tells .*n-0000000000, not .*n-0000000001/],
    ['sequence', /has no higher number than/],
  );
});

test('a session that is ended before its timeout, with its ephemeral, is named', () => {
  const { history, client } = begun();
  client.asks(ephemeral(`${ROOT}/e`));
  history.now += 700;
  history.commit(closing, client.sessionId, 0);

  finds(history.history(), ['connection', /was expired at .* its client could rely on it until/]);
});

test('an end of a session that leaves its ephemeral behind is named', () => {
  const { history, client } = begun();
  client.asks(ephemeral(`${ROOT}/e`));
  history.now += 5000;
  history.appendUnfit({
    sessionId: client.sessionId,
    cxid: 0,
    time: history.now,
    op: OpCode.closeSession,
    outcome: { type: 'closeSession', paths: [] },
  });

  finds(history.history(), ['replay', /removes , it owns .*\/e/]);
});

test('a session that is resumed behind its end is named', () => {
  const { history, client } = begun();
  client.asks(closing);
  const next = history.connection('c1', client.sessionId);
  next.greets();
  next.isWelcomed();

  finds(history.history(), ['session', /resumes session 0x1, which had ended/]);
});

test('a session that is told to be over, which nobody had ended, is named', () => {
  const { history, client } = begun();
  const next = history.connection('c1', client.sessionId);
  next.greets();
  next.isWelcomed(true);

  finds(
    history.history(),
    ['session', /is over, which nobody had ended/],
    ['connection', /which nobody has ended/],
  );
});

test('a request that is answered behind the end of its session is named', () => {
  const { history, client } = begun();
  const xid = client.sends(get(REGISTER));
  history.now += 5000;
  history.commit(closing, client.sessionId, 0);
  client.isAnswered(xid, client.takesEffect(get(REGISTER), xid));

  finds(history.history(), ['session', /behind the end of its session/]);
});

test('a change that a later read shows, and its watch was not told of, is named', () => {
  const { history, client } = begun();
  const other = history.open('c2');
  client.asks(get(REGISTER, true));
  other.asks(set(REGISTER, 'changed'));
  client.asks(get(OTHER));

  finds(history.history(), ['connection', /not that .* was dataChanged/]);
});

test('a change that a watch is told of twice is named', () => {
  const { history, client } = begun();
  const other = history.open('c2');
  client.asks(get(REGISTER, true));
  const { zxid } = other.asks(set(REGISTER, 'changed'));
  client.isNotified(zxid, WatchEventType.dataChanged, REGISTER);
  client.isNotified(zxid, WatchEventType.dataChanged, REGISTER);

  finds(history.history(), ['connection', /which no watch waits for/]);
});

test('a transaction that no client asked for is named', () => {
  const { history, client } = begun();
  history.commit(set(REGISTER, 'nobody'), client.sessionId, 77);

  finds(history.history(), ['session', /comes from no request/]);
});

test('a znode that is removed before its time to live is over is named', () => {
  const { history, client } = begun();
  client.asks(withTtl(1000));
  history.now += 900;
  history.append({
    sessionId: 0n,
    cxid: 0,
    time: history.now,
    op: OpCode.deleteContainer,
    outcome: { type: 'delete', path: `${DIRECTORIES.expiring}/t` },
  });

  assert.equal(
    judge(history.history()).map(({ rule, text }) => [rule, /900 ms ago and lives for 1000 ms/.test(text)]),
    [['expiry', true]],
  );
});

test('a create beyond a hard quota is named', () => {
  const { history, client } = begun({ enforceQuota: false });
  for (let index = 0; index < 9; index++) client.asks(create(`${DIRECTORIES.limited}/${index}`));
  client.asks(limit);

  finds(history.history(), ['connection', /came to create .*, where error -125 was due/]);
});

test('an ephemeral znode and one with a time to live that are left at the end are named', () => {
  const { history, client } = begun();
  client.asks(ephemeral(`${ROOT}/e`));
  client.asks(withTtl(1000));

  finds(history.history(), ['leftover', /e is left of session/], ['leftover', /t is left beyond its time/]);
});

test('a transaction that does not fit the state before it is named', () => {
  const { history, client } = begun();
  history.appendUnfit({
    sessionId: client.sessionId,
    cxid: 99,
    time: history.now,
    op: OpCode.setData,
    outcome: { type: 'setData', path: REGISTER, data: null, version: 7 },
  });

  finds(history.history(), ['replay', /does not fit its version/]);
});

test('an entry that only one member has, behind what all had applied at the end, contradicts nothing', () => {
  const { history, client } = begun();
  client.asks(set(REGISTER, 'one'));
  const { finals } = history.history();
  history.commit(closing, client.sessionId, 0);
  const [first, ...others] = history.history().logs;
  const shorter = others.map((log) => ({
    ...log,
    epochs: [{ epoch: 1, lastZxid: BigInt(finals[0]!.zxid) }],
  }));

  finds({ ...history.history(), finals, logs: [first!, ...shorter] });
});

test('members that end with other trees, histories or entries, and a process that ended by itself, are named', () => {
  const { history, client } = begun();
  client.asks(set(REGISTER, 'one'));
  history.exits.push('the process of member 3 ended with 1');
  const good = history.history();
  const [first, second, third] = good.logs;
  const shorter = [{ epoch: 1, lastZxid: history.end - 1n }];
  const other = second!.entries.map((entry) =>
    entry.zxid === history.end ? { ...entry, payload: first!.entries[1]!.payload } : entry,
  );

  finds(
    {
      ...good,
      finals: [...good.finals.slice(0, 2), { ...good.finals[2]!, digest: '7' }],
      logs: [first!, { ...second!, entries: other }, { ...third!, epochs: shorter }],
    },
    ['members', /member 3 ended with 1/],
    ['members', /1 and 3 end with other histories/],
    ['members', /1 and 2 have different transactions/],
    ['members', /1 and 3 end with other trees/],
  );
});

test.run();
