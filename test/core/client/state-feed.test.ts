import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClientSession } from '../../../core/client/session.js';
import { StateFeed } from '../../../core/client/state-feed.js';
import { silentLogger } from '../../../core/runtime/index.js';

test('a listener that is added while others hear of a change hears of the next one, one that left of no later one', () => {
  const feed = new StateFeed(silentLogger);
  const session = new ClientSession(1, 1000);
  const heard: string[] = [];
  let stopLast = (): void => undefined;
  const stopFirst = feed.listen((state) => {
    heard.push(`first ${state}`);
    stopFirst();
    stopLast();
    feed.listen((next) => void heard.push(`added ${next}`));
  });
  stopLast = feed.listen((state) => void heard.push(`last ${state}`));
  feed.announce('connected', session);
  assert.equal(heard, ['first connected', 'last connected']);
  feed.announce('suspended', session);
  assert.equal(heard.slice(2), ['added suspended']);
});

test.run();
