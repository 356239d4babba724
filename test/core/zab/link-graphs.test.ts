import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GRAPHS, LAGS, play, STARTS, type Outcome } from './link-graphs.js';

for (const start of STARTS) {
  for (const lag of LAGS) {
    test(`every graph of links serves if a voter has links to a quorum: ${start} start, histories ${lag}`, () => {
      const outcomes: Outcome[] = [];
      for (let graph = 0; graph < GRAPHS; graph++) {
        try {
          outcomes.push(play(graph, lag, start));
        } catch (error) {
          throw new Error(`graph ${graph}`, { cause: error });
        }
      }
      const serves = ({ ticks }: Outcome): boolean => ticks !== null;
      assert.ok(outcomes.every((outcome) => outcome.hasHub === serves(outcome)));
      console.log(`# ${start}, ${lag}: ${outcomes.filter(serves).length} of ${GRAPHS} graphs serve`);
    });
  }
}

test.run();
