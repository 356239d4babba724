/** `node main.mjs CONNECT scenario… 3>&1 1>&2`: runs the scenarios one after the other, and prints what was observed. */
import { nativeScenarios } from './native.mjs';
import { pureScenarios } from './pure.mjs';
import { harnessReplies, print, Scenario } from './scenario.mjs';

const scenarios = { ...nativeScenarios, ...pureScenarios };
const [connect, ...names] = process.argv.slice(2);
const replies = harnessReplies();

for (const name of names) {
  print(`## ${name}`);
  const scenario = new Scenario(name, connect.split(','), replies);
  const began = performance.now();
  try {
    await scenarios[name](scenario);
    await scenario.finish();
  } catch (error) {
    console.error(error);
    print(`!! ${String(error)}`);
  }
  console.error(`${name}: ${((performance.now() - began) / 1000).toFixed(2)} s`);
}
// Clients of a failed scenario must not keep the program.
process.exit(0);
