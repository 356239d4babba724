/** The pipeline without a connection: tokens go in, outcomes come out. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../../core/protocol/index.js';
import { PipelineEnsemble, type PipelineMember } from './pipeline-ensemble.js';

/** Opens a session at that member and returns its id. */
function sessionAt(ensemble: PipelineEnsemble, member: PipelineMember): bigint {
  const known = new Set(member.state.machine.sessions.keys());
  assert.is(member.openSession('session'), null);
  ensemble.run();
  for (const each of ensemble.members) each.take();
  return [...member.state.machine.sessions.keys()].find((id) => !known.has(id))!;
}

test('a write is applied and returned with its token once it is durable', () => {
  const ensemble = new PipelineEnsemble(1);
  const { leader } = ensemble;
  const session = sessionAt(ensemble, leader);
  const znodes = leader.state.machine.nodeCount;
  leader.isDiskStopped = true;
  assert.is(leader.create(session, '/a', 'a'), null);
  ensemble.run();
  assert.equal(leader.take(), []);
  assert.is(leader.state.machine.nodeCount, znodes);
  assert.is(leader.pipeline.length, 1);

  leader.isDiskStopped = false;
  ensemble.run();
  assert.equal(leader.take(), ['a ok 2']);
  assert.is(leader.state.machine.nodeCount, znodes + 1);
  assert.equal([leader.pipeline.length, leader.pipeline.bytes], [0, 0]);
});

test('tokens come back in the order of their requests, errors in their place', () => {
  const ensemble = new PipelineEnsemble(1);
  const { leader } = ensemble;
  const session = sessionAt(ensemble, leader);
  leader.create(session, '/a', 'first');
  leader.create(session, '/a', 'again');
  leader.create(session, '/b/c', 'orphan');
  leader.create(session, '/b', 'last');
  ensemble.run();
  assert.equal(leader.take(), ['first ok 2', 'again nodeExists 3', 'orphan noNode 4', 'last ok 5']);
});

test('a write is prepared against the writes before it that are not applied yet', () => {
  const ensemble = new PipelineEnsemble(1);
  const { leader } = ensemble;
  const session = sessionAt(ensemble, leader);
  leader.isDiskStopped = true;
  leader.create(session, '/a', 'create');
  leader.create(session, '/a/b', 'child');
  leader.submit(session, { op: OpCode.delete, body: { path: '/a', version: -1 } }, 'delete');
  ensemble.run();
  leader.isDiskStopped = false;
  ensemble.run();
  assert.equal(leader.take(), ['create ok 2', 'child ok 3', 'delete notEmpty 4']);
});

test('a write at a learner comes back there with its token, and at the others without one', () => {
  const ensemble = new PipelineEnsemble(3);
  const { leader } = ensemble;
  const [one, two] = ensemble.learners as [PipelineMember, PipelineMember];
  const session = sessionAt(ensemble, one);
  assert.is(one.create(session, '/a', 'a'), null);
  one.create(session, '/a', 'again');
  ensemble.run();
  assert.equal(one.take(), ['a ok 2', 'again nodeExists 3']);
  assert.equal(leader.take(), ['- ok 2', '- nodeExists 3']);
  assert.equal(two.take(), ['- ok 2', '- nodeExists 3']);
  assert.equal([one.pipeline.length, one.pipeline.bytes], [0, 0]);
});

test('members that write at the same time get their own tokens back', () => {
  const ensemble = new PipelineEnsemble(3);
  const sessions = ensemble.members.map((member) => sessionAt(ensemble, member));
  for (let round = 0; round < 5; round++) {
    for (const [index, member] of ensemble.members.entries())
      member.create(sessions[index]!, `/${member.id}-${round}`, `${member.id}-${round}`);
  }
  ensemble.run();
  for (const member of ensemble.members) {
    const applied = member.take();
    assert.is(applied.length, 15);
    const own = applied.map((line) => line.split(' ')[0]).filter((token) => token !== '-');
    assert.equal(
      own,
      [0, 1, 2, 3, 4].map((round) => `${member.id}-${round}`),
    );
  }
});

test('a session goes on at the member that resumes it, and its requests elsewhere are refused', () => {
  const ensemble = new PipelineEnsemble(3);
  const { leader } = ensemble;
  const [one, two] = ensemble.learners as [PipelineMember, PipelineMember];
  const session = sessionAt(ensemble, one);
  two.pipeline.resumeSession(session, 'resume');
  ensemble.run();
  assert.equal(two.take(), ['resumed resume 10000']);
  assert.equal(one.take(), ['moved']);

  one.create(session, '/a', 'late');
  ensemble.run();
  assert.equal(one.take(), ['refused late moved']);
  assert.is(leader.create(session, '/a', 'late'), 'moved', 'the leader says so at once');
  assert.equal(leader.take(), []);
});

test('a session that is over is not resumed', () => {
  const ensemble = new PipelineEnsemble(3);
  const [one, two] = ensemble.learners as [PipelineMember, PipelineMember];
  const session = sessionAt(ensemble, one);
  one.submit(session, { op: OpCode.closeSession, body: {} }, 'close');
  ensemble.run();
  two.take();
  two.pipeline.resumeSession(session, 'resume');
  ensemble.leader.pipeline.resumeSession(session, 'here too');
  ensemble.run();
  assert.equal(two.take(), ['resumed resume null']);
  assert.ok(ensemble.leader.take().includes('resumed here too null'));
});

test('a confirmed zxid covers what was acknowledged before', () => {
  const ensemble = new PipelineEnsemble(3);
  const { leader } = ensemble;
  const [one] = ensemble.learners as [PipelineMember];
  const session = sessionAt(ensemble, leader);
  leader.create(session, '/a', 'a');
  ensemble.run();
  one.take();
  leader.take();
  one.pipeline.confirm('sync');
  leader.pipeline.confirm(null);
  ensemble.pass(200);
  assert.equal(one.take(), ['confirmed sync 2']);
  assert.equal(leader.take(), ['confirmed null 2']);
  assert.is(one.pipeline.openQuestions + leader.pipeline.openQuestions, 0);
});

test('after a hand-over the pipeline returns the tokens of what the leader never took', () => {
  const ensemble = new PipelineEnsemble(3);
  const [one, two] = ensemble.learners as [PipelineMember, PipelineMember];
  const session = sessionAt(ensemble, one);
  one.create(session, '/a', 'a');
  one.create(session, '/b', 'b');
  assert.equal(one.endRole(true), ['a', 'b']);
  assert.equal(one.pipeline.length, 0);

  const other = sessionAt(ensemble, two);
  two.create(other, '/c', 'c');
  assert.equal(two.endRole(false), [], 'without a hand-over the outcome is unknown');
});

test('a member without a role refuses at once, and a leader keeps nothing of it', () => {
  const ensemble = new PipelineEnsemble(1);
  const { leader } = ensemble;
  const session = sessionAt(ensemble, leader);
  leader.endRole(false);
  assert.is(leader.create(session, '/a', 'a'), 'notServing');
  assert.is(leader.openSession('session'), 'notServing');
  assert.not(leader.pipeline.touch(session));
  assert.equal([leader.pipeline.length, leader.pipeline.bytes, leader.pipeline.openQuestions], [0, 0, 0]);
});

test.run();
