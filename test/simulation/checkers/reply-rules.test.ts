import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CreateMode,
  ErrorCode,
  OpCode,
  Permission,
  type Reply,
  type Request,
} from '../../../core/protocol/index.js';
import { wrongRead, wrongWrite } from './reply-rules.js';
import { creates, SampleEnsemble, SESSION } from './sample-ensemble.js';
import { statOf } from './tree-model.js';

const ensemble = await SampleEnsemble.start();
await ensemble.write(creates('/a/b', CreateMode.persistent, 'b'), 2);
const OLD = ensemble.ghost.end;
await ensemble.write(creates('/a/e', CreateMode.ephemeral, 'e'), 3);
const { end: NOW } = ensemble.ghost;

/** What a member that is right answers now. */
function truth(request: Request): Reply {
  const { reply } = ensemble.machine(1).read(request, { sessionId: SESSION, identities: [] });
  return reply!;
}

function wrong(
  request: Request,
  reply: Reply | null,
  zxid = NOW,
  error: ErrorCode = ErrorCode.ok,
): string | null {
  return wrongRead(request, { error, reply }, { model: ensemble.model, zxid, sessionId: SESSION, users: [] });
}

const READS: readonly Request[] = [
  { op: OpCode.getData, body: { path: '/a/e', watch: false } },
  { op: OpCode.exists, body: { path: '/a/e', watch: false } },
  { op: OpCode.getAcl, body: { path: '/a/e' } },
  { op: OpCode.getChildren, body: { path: '/a', watch: false } },
  { op: OpCode.getChildren2, body: { path: '/a', watch: false } },
  { op: OpCode.getAllChildrenNumber, body: { path: '/a' } },
  { op: OpCode.getEphemerals, body: { prefixPath: '/a' } },
  {
    op: OpCode.multiRead,
    body: {
      ops: [
        { op: OpCode.getData, body: { path: '/a/b', watch: false } },
        { op: OpCode.getData, body: { path: '/a/e', watch: false } },
      ],
    },
  },
];

for (const request of READS) {
  const name = Object.entries(OpCode).find(([, op]) => op === request.op)![0];
  test(`the answer to ${name} is right at its own zxid, and wrong at an older one`, () => {
    assert.is(wrong(request, truth(request)), null);
    assert.ok(wrong(request, truth(request), OLD) !== null);
  });
}

test('an error is right only where it is due', () => {
  const missing: Request = { op: OpCode.exists, body: { path: '/x', watch: false } };
  const there: Request = { op: OpCode.exists, body: { path: '/a', watch: false } };
  assert.is(wrong(missing, null, NOW, ErrorCode.noNode), null);
  assert.match(wrong(there, null, NOW, ErrorCode.noNode)!, /is there/);
  assert.match(wrong(missing, truth(there))!, /there is no \/x/);
});

test('a read that is let in by an identity of somebody else is found, and one that is refused in spite of its own', async () => {
  const acl = [{ perms: Permission.read, id: { scheme: 'digest', id: 'anna:hash' } }];
  const body = { path: '/hers', data: null, acl, flags: 0, ttlMs: 0 };
  const { zxid } = await ensemble.write({ op: OpCode.create2, body }, 4);
  const request: Request = { op: OpCode.getAcl, body: { path: '/hers' } };
  const stat = statOf(ensemble.model.at('/hers', zxid)!);
  const shownAs = (id: string): Reply => ({
    op: OpCode.getAcl,
    body: { acl: [{ perms: Permission.read, id: { scheme: 'digest', id } }], stat },
  });
  const shown = shownAs('anna:x');
  const judge = (users: readonly string[], reply: Reply | null, error: ErrorCode): string | null =>
    wrongRead(request, { error, reply }, { model: ensemble.model, zxid, sessionId: SESSION, users });
  assert.is(judge([], null, ErrorCode.noAuth), null);
  assert.is(judge(['anna:hash'], shown, ErrorCode.ok), null);
  assert.match(judge(['bert:hash'], shown, ErrorCode.ok)!, /may not read/);
  assert.match(judge(['anna:hash'], shownAs('anna:hash'), ErrorCode.ok)!, /another ACL of \/hers/);
  assert.match(judge(['anna:hash'], null, ErrorCode.noAuth)!, /is there/);
});

test('other data than was written is found', () => {
  const reply = truth(READS[0]!) as Extract<Reply, { op: typeof OpCode.getData }>;
  const other = { ...reply, body: { ...reply.body, data: new TextEncoder().encode('f') } };
  assert.match(wrong(READS[0]!, other)!, /other data/);
});

test('a write is answered with what it came to', () => {
  const node = ensemble.model.at('/a/b', NOW)!;
  const stat = statOf(node);
  const reply: Reply = { op: OpCode.create2, body: { path: '/a/b', stat } };
  const expected = { type: 'create', node } as const;
  assert.is(wrongWrite({ error: ErrorCode.ok, reply }, expected), null);
  assert.match(
    wrongWrite({ error: ErrorCode.ok, reply: { ...reply, body: { path: '/a/c', stat } } }, expected)!,
    /tells \/a\/c/,
  );
  assert.match(wrongWrite({ error: ErrorCode.nodeExists, reply: null }, expected)!, /took effect/);
  const refused = { type: 'error', error: ErrorCode.noNode } as const;
  assert.is(wrongWrite({ error: ErrorCode.noNode, reply: null }, refused), null);
  assert.match(wrongWrite({ error: ErrorCode.ok, reply }, refused)!, /was due/);
});

test.run();
