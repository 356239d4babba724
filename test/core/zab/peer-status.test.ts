import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isSameSituation, type FoundingStatus, type PeerStatus } from '../../../core/zab/peer-status.js';

const FOUNDING: FoundingStatus = {
  absentVoters: [2],
  silentObservers: [],
  membersWithHistory: [],
  isRefounding: false,
  lostVoters: [],
};
const STATUS: PeerStatus = {
  state: 'leading',
  phase: 'broadcast',
  leader: 1,
  epoch: 3,
  isServing: true,
  isEstablishedLeader: true,
  admits: true,
  isQuorumConfirmed: true,
  isRejoining: false,
  obstacle: null,
  gap: null,
  founding: FOUNDING,
  lastProposed: 5n,
  lastDurable: 4n,
  committed: 3n,
  delivered: 2n,
  lastChange: 'elected',
  endedByHandOver: false,
};

/** Another value for each field whose change is a change of the situation. */
const OTHERS: Partial<PeerStatus> = {
  state: 'looking',
  phase: 'synchronization',
  leader: null,
  epoch: 4,
  isServing: false,
  isEstablishedLeader: false,
  admits: false,
  isQuorumConfirmed: false,
  isRejoining: true,
  obstacle: 'an obstacle',
  gap: 'a gap',
  founding: null,
  lastChange: 'a reason',
};

for (const [field, value] of Object.entries(OTHERS))
  test(`a change of ${field} is a change of the situation`, () => {
    const changed = { ...STATUS, [field]: value };
    assert.not.ok(isSameSituation(STATUS, changed));
    assert.not.ok(isSameSituation(changed, STATUS));
    assert.ok(isSameSituation(changed, { ...changed }));
  });

for (const [field, value] of Object.entries({
  absentVoters: [3],
  silentObservers: [4],
  membersWithHistory: [2],
  isRefounding: true,
  lostVoters: [1, 2],
}))
  test(`a change of ${field} of a founding is a change of the situation`, () => {
    const changed = { ...STATUS, founding: { ...FOUNDING, [field]: value } };
    assert.not.ok(isSameSituation(STATUS, changed));
    assert.ok(isSameSituation(changed, { ...STATUS, founding: { ...FOUNDING, [field]: value } }));
  });

test('how far the zxids have got is no change of the situation', () => {
  const later = { lastProposed: 9n, lastDurable: 9n, committed: 9n, delivered: 9n };
  assert.ok(isSameSituation(STATUS, { ...STATUS, ...later }));
});

test.run();
