import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MemberSettings } from '../../../../core/server/peers/member-settings.js';
import {
  AccepterHandshake,
  DiallerHandshake,
  peerKey,
  type PeerIdentity,
} from '../../../../core/server/peers/peer-handshake.js';
import { resolveServerOptions, sharedSettings } from '../../../../core/server/configuration/index.js';
import { spokenVersions } from '../../../../core/zab/index.js';
import { EnsembleWorld } from '../ensemble-world.js';

const key = peerKey(new Uint8Array(32).fill(1));
const nonce = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const NEXT_VERSION = 3;

/** What each end of a handshake learns of the other one: the accepter's view first. */
function exchanged(
  one: MemberSettings,
  two: MemberSettings,
  version = NEXT_VERSION,
): readonly (readonly [string, string][])[] {
  const identity = (id: number, settings: MemberSettings): PeerIdentity => ({
    id,
    keys: [key],
    ensemble: 'voters 1, 2',
    others: [3 - id],
    versions: spokenVersions(version),
    settings,
    exchange: { known: () => new Map([[id, new Uint8Array(32).fill(id)]]), learn: () => undefined },
  });
  const dialler = new DiallerHandshake(identity(1, one), 2, nonce(1));
  const accepter = new AccepterHandshake(identity(2, two), nonce(2));
  dialler.receive(accepter.receive(dialler.receive(accepter.receive(dialler.hello).send!).send!).send!);
  return [accepter, dialler].map(({ remoteSettings }) => [...remoteSettings]);
}

/** In which settings each member says that others differ, as `member: setting here/there`. */
function differences(world: EnsembleWorld, id: number): string[] {
  return world
    .member(id)
    .health()
    .differing.flatMap(({ member, differences: found }) =>
      found.map(({ setting, here, there }) => `${member}: ${setting} ${here}/${there}`),
    )
    .sort();
}

test('both ends of a handshake learn the settings of the other one, beside the secrets that they exchange', () => {
  const one = new Map([['tickMs', '500']]);
  const two = new Map([['tickMs', '2000'], ['ttlNodes', 'false']]); // prettier-ignore
  assert.equal(exchanged(one, two), [[...one], [...two]]);
  assert.equal(exchanged(one, two, 2), [[], []]);
});

test('settings name every option that is to be the same, and each member with its address', () => {
  const options = resolveServerOptions({ tickMs: 100, enforceQuota: true });
  const settings = sharedSettings(options, [
    { id: 1, address: 'ws://a:7300' },
    { id: 2, address: 'ws://b:7300', isObserver: true },
  ]);
  assert.is(settings.get('tickMs'), '100');
  assert.is(settings.get('enforceQuota'), 'true');
  assert.is(settings.get('ensemble: member 1'), 'ws://a:7300');
  assert.is(settings.get('ensemble: member 2'), 'ws://b:7300, an observer');
});

test('members with other ticks, bounds of sessions, quotas and packets than the rest are named on both ends, once', async () => {
  await using world = await EnsembleWorld.start({
    optionsOf: {
      3: { maxSessionMs: 60_000, enforceQuota: true, maxPacketBytes: 4_000_000, ttlNodes: false },
    },
  });
  for (const id of [1, 2]) {
    assert.equal(differences(world, id), [
      '3: enforceQuota false/true',
      '3: maxPacketBytes 1048575/4000000',
      '3: maxSessionMs 40000/60000',
      '3: maxTxnBytes 4194300/16000000',
      '3: ttlNodes true/false',
    ]);
  }
  assert.is(differences(world, 3).length, 10);
  const told = (): number => world.log.lines.filter(({ message }) => /other settings/.test(message)).length;
  assert.is(told(), 4);

  world.kill(1);
  await world.clock.advance(5_000);
  await world.launch(1);
  await world.serving();
  // The member that was started anew tells once more, the others have told before.
  assert.is(told(), 5);
});

test('members that were started alike name no difference', async () => {
  await using world = await EnsembleWorld.start();
  for (const id of [1, 2, 3]) assert.equal(differences(world, id), []);
  assert.not(world.log.has(/other settings/));
});

test('a member that is refused is named with the reason by those that miss it', async () => {
  const secrets = { 3: new Uint8Array(32).fill(9) };
  await using world = await EnsembleWorld.launched({ secrets, isFounded: false });
  await world.clock.advance(5_000);
  for (const id of [1, 2]) {
    const problem = world
      .member(id)
      .health()
      .linkProblems.find(({ member }) => member === 3)?.problem;
    assert.match(problem!, /member 3 has another secret/);
  }
  const { linkProblems } = world.member(3).health();
  assert.equal(
    linkProblems.map(({ member }) => member).sort((one, other) => one - other),
    [1, 2],
  );
});

test.run();
