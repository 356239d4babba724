import { Command } from 'commander';
import type { Client } from '../../core/client/index.js';
import { printableLine } from '../../core/runtime/index.js';
import { LeaderJobs, LeaderJobUnknownError, type KeptRun } from '../../framework/index.js';
import { onEnsemble, withEnsembleFlags, type EnsembleFlags } from './on-ensemble.js';
import { print } from './output.js';

/** `quorate job`: the jobs under `@LeaderOnly`, of which there is one in the fleet. */
export function jobCommand(): Command {
  const trigger = new Command('trigger')
    .description('ask the leader for a run now, beside the schedule')
    .argument('<name>', 'name of the job')
    .action((name: string, flags: EnsembleFlags) =>
      onEnsemble(flags, async (client) => {
        await new LeaderJobs(client).trigger(name);
        print(`asked for a run of ${name}\n`);
      }),
    );
  const history = new Command('history')
    .description('how the last runs went, newest first')
    .argument('<name>', 'name of the job')
    .option('--json', 'one JSON object for each run instead of text')
    .action((name: string, flags: EnsembleFlags & { readonly json?: boolean }) =>
      onEnsemble(flags, async (client) => {
        await requireJob(client, name);
        const runs = await new LeaderJobs(client).history(name);
        const lines = runs.map((run) => (flags.json === true ? toJson(run) : describe(run)));
        if (lines.length === 0 && flags.json !== true) lines.push(`no run of ${name} is known`);
        print(lines.map((line) => `${line}\n`).join(''));
      }),
    );
  const candidates = new Command('candidates')
    .description('who leads, and who would be next, in order')
    .argument('<name>', 'name of the job')
    .action((name: string, flags: EnsembleFlags) =>
      onEnsemble(flags, async (client) => {
        await requireJob(client, name);
        const found = await new LeaderJobs(client).candidates(name);
        const lines = found.map(
          ({ id, isLeader }) => `${isLeader ? 'leads  ' : 'stands '} ${printableLine(id)}`,
        );
        print(lines.length === 0 ? `nobody stands for ${name}\n` : `${lines.join('\n')}\n`);
      }),
    );
  const list = new Command('list')
    .description('the jobs that a process has declared, and who leads each')
    .option('--json', 'one JSON object for each job instead of text')
    .action((flags: EnsembleFlags & { readonly json?: boolean }) =>
      onEnsemble(flags, async (client) => {
        const jobs = new LeaderJobs(client);
        const names = await jobs.names();
        for (const name of names) {
          const leader = (await jobs.candidates(name)).find(({ isLeader }) => isLeader)?.id ?? null;
          const text = `${name}  ${leader === null ? 'no leader' : `leader ${leader}`}`;
          print(`${flags.json === true ? JSON.stringify({ name, leader }) : printableLine(text)}\n`);
        }
        if (names.length === 0 && flags.json !== true) print('no process has declared a leader job\n');
      }),
    );
  const command = new Command('job').description('jobs that only the leader runs');
  for (const each of [list, trigger, history, candidates]) command.addCommand(withEnsembleFlags(each));
  return command;
}

/** A name that no process has used is most likely misspelt: nothing would ever come of it. */
async function requireJob(client: Client, name: string): Promise<void> {
  const names = await new LeaderJobs(client).names();
  if (!names.includes(name)) throw new LeaderJobUnknownError(name, names);
}

function describe({ scheduledAt, kind, outcome, durationMs, by, error }: KeptRun): string {
  const took = durationMs === undefined ? '' : ` in ${(durationMs / 1000).toFixed(1)} s`;
  const why = error === undefined ? '' : `: ${error}`;
  return printableLine(
    `${new Date(scheduledAt).toISOString()}  ${kind.padEnd(9)}  ${outcome}${took} by ${by}${why}`,
  );
}

function toJson(run: KeptRun): string {
  return JSON.stringify({ ...run, fence: `0x${run.fence.toString(16)}` });
}
