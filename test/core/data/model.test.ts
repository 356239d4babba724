import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OpCode } from '../../../core/protocol/index.js';
import { decodeTxn, type PrepareRules, StateMachine } from '../../../core/data/index.js';
import { EnsembleOfOne } from './ensemble-of-one.js';
import { assertWellFormed, describe, describeModel } from './examine.js';
import { type ModelAnswer, NaiveModel } from './naive-model.js';
import { type Step, steps } from './random-operations.js';

/** Carries out the steps on both and compares every answer as it comes, and the whole state whenever nothing is pending. */
function run(script: readonly Step[], rules: Partial<PrepareRules>): EnsembleOfOne {
  const ensemble = new EnsembleOfOne(rules);
  const model = new NaiveModel(rules.enforceQuota ?? false);
  model.sessions = new Map(ensemble.machine.sessions);
  model.time = ensemble.wallMs;
  const expected: ModelAnswer[] = [];
  const commit = (): void => {
    const applied = ensemble.commit();
    const answer = expected.shift()!;
    assert.is(applied.error, answer.error);
    const body = ensemble.machine.replyTo(applied)?.body ?? null;
    assert.equal(body, answer.body);
    if (expected.length === 0) assert.equal(describe(ensemble.machine), describeModel(model));
  };
  for (const step of script) {
    if (step.type === 'commit') {
      for (let count = 0; count < step.count && expected.length > 0; count++) commit();
      continue;
    }
    ensemble.wallMs += step.passedMs;
    ensemble.propose(step.request, step);
    expected.push(model.write(step.request, { ...step, wallMs: ensemble.wallMs }, ensemble.zxid));
  }
  while (expected.length > 0) commit();
  assertWellFormed(ensemble.machine);
  assert.is(ensemble.preparer.pendingCount, 0);
  return ensemble;
}

test('preparing and applying gives what a plain model of the rules gives, however deep the pipeline', () => {
  fc.assert(
    fc.property(steps(60), (script) => {
      run(script, {});
    }),
    { numRuns: 2_000 },
  );
});

test('a session that owns the limits of a quota and a znode under it leaves the usage that its last deletes found', () => {
  const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
  const step = { type: 'propose', sessionId: 256n, identities: [], passedMs: 0 } as const;
  const create = (path: string, flags = 0): Step => {
    return { ...step, request: { op: OpCode.create, body: { path, data: null, acl, flags, ttlMs: 0 } } };
  };
  const quota = '/zookeeper/quota/a';
  const EPHEMERAL = 1;

  run(
    [
      ...['/a', '/a/x', quota].map((path) => create(path)),
      create(`${quota}/zookeeper_limits`, EPHEMERAL),
      create(`${quota}/zookeeper_stats`),
      create('/a/x/deep', EPHEMERAL),
      { ...step, request: { op: OpCode.closeSession, body: {} } },
    ],
    {},
  );
});

test('with quotas enforced, too', () => {
  fc.assert(
    fc.property(steps(60), (script) => {
      run(script, { enforceQuota: true });
    }),
    { numRuns: 1_000 },
  );
});

test('the random operations reach every kind of outcome and error', () => {
  const seen = new Set<string>();
  for (const script of fc.sample(steps(60), { numRuns: 300, seed: 1 })) {
    for (const { payload } of run(script, { enforceQuota: true }).log) {
      const { outcome } = decodeTxn(payload);
      seen.add(outcome.type === 'error' ? `error ${outcome.error}` : outcome.type);
      if (outcome.type !== 'multi') continue;
      const failed = outcome.parts.find((part) => part.outcome.type === 'error');
      seen.add(failed === undefined ? 'multi done' : 'multi failed');
    }
  }
  const errors = [
    ErrorCode.unimplemented,
    ErrorCode.badArguments,
    ErrorCode.noNode,
    ErrorCode.noAuth,
    ErrorCode.badVersion,
    ErrorCode.noChildrenForEphemerals,
    ErrorCode.nodeExists,
    ErrorCode.notEmpty,
    ErrorCode.sessionExpired,
    ErrorCode.invalidAcl,
    ErrorCode.quotaExceeded,
  ].map((code) => `error ${code}`);
  const outcomes = ['create', 'delete', 'setData', 'setAcl', 'createSession', 'closeSession'];
  for (const kind of [...errors, ...outcomes, 'multi done', 'multi failed']) assert.ok(seen.has(kind), kind);
});

test('states with the same digest are the same, and the same state has the same digest', () => {
  const stateByDigest = new Map<bigint, string>();
  const digestByState = new Map<string, bigint>();
  for (const script of fc.sample(steps(12), { numRuns: 2_000, seed: 2 })) {
    const { machine } = run(script, {});
    const state = describe(machine).join('\n');
    assert.is(stateByDigest.get(machine.digest) ?? state, state);
    assert.is(digestByState.get(state) ?? machine.digest, machine.digest);
    stateByDigest.set(machine.digest, state);
    digestByState.set(state, machine.digest);
  }
  assert.ok(stateByDigest.size > 300);
});

test('replaying any stretch of the log again, from any earlier state, leads to the same state', () => {
  fc.assert(
    fc.property(steps(40), fc.nat(), fc.nat(), (script, firstSeed, againSeed) => {
      const { log, machine } = run(script, {});
      const until = firstSeed % (log.length + 1);
      const from = againSeed % (until + 1);
      const replica = new StateMachine();

      for (const { zxid, payload } of log.slice(0, until)) replica.apply(zxid, decodeTxn(payload));
      for (const { zxid, payload } of log.slice(from)) replica.apply(zxid, decodeTxn(payload));

      assert.equal(describe(replica), describe(machine));
      assert.is(replica.digest, machine.digest);
    }),
    { numRuns: 300 },
  );
});

test.run();
