/** How long writes stop when the leader is killed. */
import { toolsOf, type Bench, type BenchRun } from './bench-run.js';
import { median, spread, table } from './figures.js';
import type { Section } from './results.js';
import type { Tools } from './tools.js';

interface Kill {
  readonly first_write_ms: number;
  readonly all_hosts_ms: number;
  readonly max_stall_ms: number;
}

const GOAL_MS = 250;
const REPETITIONS = { full: '10', quick: '2' };

export const failover: Bench = { name: 'failover', needsTools: true, run: measure };

async function measure(run: BenchRun): Promise<Section> {
  const tools = toolsOf(run);
  const repetitions = run.isQuick ? REPETITIONS.quick : REPETITIONS.full;
  const { zooKeeper, quorate } = tools;
  const rows: (string | number)[][] = [
    ['servers', 'first write, ms', 'a write of every client, ms', 'longest gap, ms', 'goal', 'reached'],
  ];
  for (const [name, script] of [
    ['ZooKeeper', zooKeeper],
    ['Quorate', quorate],
  ] as const) {
    if (script === null) continue;
    run.note(name);
    const kills = await killLeaders(tools, script, repetitions);
    const first = kills.map(({ first_write_ms }) => first_write_ms);
    const isOurs = script === quorate;
    rows.push([
      name,
      spread(first),
      spread(kills.map(({ all_hosts_ms }) => all_hosts_ms)),
      spread(kills.map(({ max_stall_ms }) => max_stall_ms)),
      isOurs ? `≤ ${GOAL_MS} ms` : '',
      isOurs ? (median(first) <= GOAL_MS ? 'yes' : 'no') : '',
    ]);
  }
  return {
    title: 'Failover',
    about:
      `Three servers; the leader is killed with SIGKILL, ${repetitions} times, while a client of each other server writes every 5 ms. ` +
      'From the kill to the first write that was sent after it and succeeded; until each client had one; and the longest that any client ' +
      'went without. Medians, and from where to where.',
    commands: [`npm run bench -- --only failover${run.isQuick ? ' --quick' : ''} --tools DIR`],
    body: table(rows),
  };
}

async function killLeaders(tools: Tools, script: string, repetitions: string): Promise<readonly Kill[]> {
  const args = [script, '--victim', 'leader', '--reps', repetitions, '--json'];
  const output = await tools.run(tools.script('failover'), args);
  return (JSON.parse(output) as { readonly results: readonly Kill[] }).results;
}
