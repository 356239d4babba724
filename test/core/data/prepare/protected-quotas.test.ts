/** Where quotas are protected, nobody but `super` changes anything below `/zookeeper/quota`. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, OPEN_ACL, OpCode } from '../../../../core/protocol/index.js';
import type { WriteRequest } from '../../../../core/data/index.js';
import { bytes, createBody, EnsembleOfOne } from '../ensemble-of-one.js';

const ANN = { scheme: 'digest', id: 'ann:h' };
const SUPER = { scheme: 'super', id: '' };
const TOP = '/zookeeper/quota/a';
const LIMITS = `${TOP}/zookeeper_limits`;
const limits = bytes('count=5');

const CHANGES: Readonly<Record<string, WriteRequest>> = {
  create: { op: OpCode.create, body: createBody(`${TOP}/more`) },
  'sequential create': { op: OpCode.create, body: createBody(`${TOP}/more-`, { flags: 2 }) },
  'create of a container': { op: OpCode.createContainer, body: createBody(`${TOP}/more`, { flags: 4 }) },
  setData: { op: OpCode.setData, body: { path: LIMITS, data: bytes('count=9'), version: -1 } },
  'setData at the root of quotas': {
    op: OpCode.setData,
    body: { path: '/zookeeper/quota', data: limits, version: -1 },
  },
  setAcl: { op: OpCode.setAcl, body: { path: LIMITS, acl: OPEN_ACL, version: -1 } },
  delete: { op: OpCode.delete, body: { path: LIMITS, version: -1 } },
};

function ensembleWith(protectQuotas: boolean): EnsembleOfOne {
  const ensemble = new EnsembleOfOne({ protectQuotas });
  const caller = { identities: [SUPER] };
  for (const path of ['/a', TOP]) ensemble.create(path, {}, caller);
  ensemble.create(LIMITS, { data: limits }, caller);
  return ensemble;
}

for (const [what, request] of Object.entries(CHANGES))
  test(`a ${what} below the quotas is refused without the super identity if they are protected`, () => {
    for (const identities of [[], [ANN]]) {
      assert.is(ensembleWith(true).error(request, { identities }), ErrorCode.noAuth);
      assert.is(ensembleWith(false).error(request, { identities }), ErrorCode.ok);
    }
    assert.is(ensembleWith(true).error(request, { identities: [ANN, SUPER] }), ErrorCode.ok);
  });

test('a multi that changes a quota is refused as a whole if they are protected', () => {
  const ensemble = ensembleWith(true);
  const ops = [
    { op: OpCode.create, body: createBody('/b') },
    { op: OpCode.delete, body: { path: LIMITS, version: -1 } },
  ] as const;
  const results = ensemble.multi(ops, { identities: [ANN] });
  assert.is(results.at(-1)?.error, ErrorCode.noAuth);
  assert.not(ensemble.exists('/b'));
  assert.ok(ensemble.exists(LIMITS));
});

test('a path that only begins like that of the quotas is not protected', () => {
  const ensemble = ensembleWith(true);
  assert.is(ensemble.error({ op: OpCode.create, body: createBody('/zookeeper/quotas') }), ErrorCode.ok);
});

test.run();
