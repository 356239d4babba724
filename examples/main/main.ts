/**
 * The main job: a durable member in this process, three worker processes of one application, and a story told as it
 * happens — discovery, configuration, a lock, a leader, a queue, a crash. Prints a summary of what was measured;
 * exits with 0 only if all of it happened.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Application, Client } from 'quorate';
import { serve } from 'quorate/server';
import {
  configurationReloads,
  leaderIsReplaced,
  lockIsNeverHeldTwice,
  servicesAreFoundByName,
  type Finding,
  type Stage,
} from './chapters.js';
import { Fleet } from './fleet.js';

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

async function tell(): Promise<Finding[]> {
  await using member = await serve({
    data,
    host: '127.0.0.1',
    port: 0,
    tickMs: 200,
    minSessionMs: 400,
  });
  say(`a durable member serves at ${member.address}`);
  const fleet = new Fleet();
  fleet.start(['ada', 'grace', 'linus'], member.address);
  await using app = await Application.start({ connect: member.address, declare: [] });
  const stage: Stage = { app, client: app.get(Client), fleet, say };
  const findings: Finding[] = [];
  try {
    for (const chapter of [
      servicesAreFoundByName,
      configurationReloads,
      lockIsNeverHeldTwice,
      leaderIsReplaced,
    ]) {
      findings.push(...(await chapter(stage)));
    }
  } finally {
    await fleet.stop(10_000);
  }
  return findings;
}

try {
  const findings = await tell();
  summarise(findings);
  const hasFailed = findings.some(({ isRight }) => !isRight);
  say(hasFailed ? 'not everything happened as it should' : 'all of it happened');
  process.exitCode = hasFailed ? 1 : 0;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  rmSync(data, { recursive: true, force: true });
}
