/**
 * A fleet of a Curator process, a kazoo process and a Quorate process: `program CLASSES CONNECT scenario…`. Each scenario has znodes
 * of its own; players of the fleet are started once, and again when a scenario has killed them.
 */
import { connect } from '../../../core/client/index.js';
import { Player, type Kind } from './fleet.js';
import { election, electionAfterKills } from './elections.js';
import { heldLock, killedHolders, lock, lockUnderOwnNames, readWriteLock, semaphore } from './locks.js';
import { Stage } from './stage.js';
import { servicesByName, servicesOfTheDead } from './services.js';

/** So soon the servers notice that a player was killed. */
const SESSION_MS = 3_000;

const SCENARIOS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  lock: lock,
  'lock-under-own-names': lockUnderOwnNames,
  'lock-in-order': heldLock,
  'lock-of-the-killed': killedHolders,
  'read-write-lock': readWriteLock,
  semaphore: semaphore,
  election: election,
  'election-after-kills': electionAfterKills,
  services: servicesByName,
  'services-of-the-killed': servicesOfTheDead,
};

const [classes, servers, ...names] = process.argv.slice(2) as [string, string, ...string[]];
const client = await connect(`zk://${servers}`, { sessionTimeoutMs: 30_000 });
const players = new Map<Kind, Player>();
for (const name of names.length === 0 ? Object.keys(SCENARIOS) : names) {
  console.log(`## ${name}`);
  const root = `/${name}`;
  const stage = new Stage(root, client, players, (kind) => Player.start(kind, classes, servers, SESSION_MS));
  try {
    await client.create(root, null);
    await client.create(`${root}-witness`, null);
    await SCENARIOS[name]!(stage);
  } catch (error) {
    console.log(`!! ${String(error)}`);
    console.error(error);
    process.exitCode = 1;
    await stage[Symbol.asyncDispose]();
  }
}
await Promise.all([...players.values()].map((player) => player.kill()));
await client.close();
