/**
 * The main job: an ensemble of three member processes, three worker processes of one application, and a story told as it
 * happens — discovery, configuration, a lock, a leader, a queue, a crashed worker, a crashed member. Prints a summary of
 * what was measured; exits with 0 only if all of it happened.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Application, Client } from 'quorate';
import {
  configurationReloads,
  leaderIsReplaced,
  lockIsNeverHeldTwice,
  memberIsReplaced,
  servicesAreFoundByName,
  type Finding,
  type Stage,
} from './chapters.js';
import { Ensemble } from './ensemble.js';
import { Fleet } from './fleet.js';

const CHAPTERS = [
  servicesAreFoundByName,
  configurationReloads,
  lockIsNeverHeldTwice,
  leaderIsReplaced,
  memberIsReplaced,
];
const startedAtMs = performance.now();
const data = mkdtempSync(join(tmpdir(), 'quorate-main-'));

function say(line: string): void {
  console.log(`${((performance.now() - startedAtMs) / 1000).toFixed(2).padStart(6)} s  ${line}`);
}

function summarise(findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ what }) => what.length));
  console.log();
  for (const { what, measured, isRight } of findings) {
    console.log(`  ${isRight ? 'yes' : 'NO '}  ${what.padEnd(width)}  ${measured}`);
  }
  console.log();
}

async function tell(ensemble: Ensemble): Promise<Finding[]> {
  say(`three durable members serve at ${ensemble.address}; member ${await ensemble.leader()} leads`);
  const fleet = new Fleet();
  fleet.start(['ada', 'grace', 'linus'], ensemble.address);
  await using app = await Application.start({
    connect: ensemble.address,
    sessionTimeoutMs: 4000,
    declare: [],
  });
  const stage: Stage = { app, client: app.get(Client), fleet, ensemble, say };
  const findings: Finding[] = [];
  try {
    for (const chapter of CHAPTERS) findings.push(...(await chapter(stage)));
  } catch (error) {
    // How the workers ended must not take the place of what went wrong before.
    await fleet.stop(10_000).catch((reason: unknown) => console.error(reason));
    throw error;
  }
  await fleet.stop(10_000);
  return findings;
}

const ensemble = await Ensemble.start(data);
try {
  const findings = await tell(ensemble);
  await ensemble.stop();
  summarise(findings);
  const hasFailed = findings.some(({ isRight }) => !isRight);
  say(hasFailed ? 'not everything happened as it should' : 'all of it happened');
  process.exitCode = hasFailed ? 1 : 0;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  ensemble.killAll();
  rmSync(data, { recursive: true, force: true });
}
