import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectStringError, parseConnectString } from '../../../core/client/index.js';

const accepted: readonly [text: string, addresses: readonly string[], chroot: string][] = [
  ['ws://a:7300', ['ws://a:7300'], ''],
  ['ws://a', ['ws://a:7300'], ''],
  ['wss://a.example.org:443/', ['wss://a.example.org:443'], ''],
  ['ws://a:1,b:2,c:3/app/one', ['ws://a:1', 'ws://b:2', 'ws://c:3'], '/app/one'],
  ['ws://a:1, b:2 /app/', ['ws://a:1', 'ws://b:2'], '/app'],
  ['ws://a:1,ws://b:2/x', ['ws://a:1', 'ws://b:2'], '/x'],
  ['WS://a:1,ws://b', ['ws://a:1', 'ws://b:7300'], ''],
  ['ws://[::1]:7301,[fe80::1]/x', ['ws://[::1]:7301', 'ws://[fe80::1]:7300'], '/x'],
  ['zk://a,b:2182/x', ['zk://a:2181', 'zk://b:2182'], '/x'],
  ['zks://a,b:2182', ['zks://a:2281', 'zks://b:2182'], ''],
  ['  ws://a:1  ', ['ws://a:1'], ''],
  ['embedded:', ['embedded:'], ''],
  ['embedded:./data', ['embedded:./data'], ''],
];

for (const [text, addresses, chroot] of accepted) {
  test(`"${text}" means ${addresses.join(' and ')}${chroot === '' ? '' : `, below ${chroot}`}`, () => {
    const parsed = parseConnectString(text);
    assert.equal(parsed.addresses, addresses);
    assert.is(parsed.chroot, chroot);
    assert.is(parsed.scheme, addresses[0]!.split(':')[0]);
  });
}

const refused: readonly [text: string, why: RegExp][] = [
  ['', /no scheme: write ws:\/\/localhost:7300/],
  ['a:7300', /no scheme: write ws:\/\/a:7300/],
  ['a:7300,b:7300/x', /no scheme/],
  ['localhost', /no scheme/],
  ['ws://', /a host is missing/],
  ['ws:///x', /a host is missing/],
  ['ws://a:1,,b:2', /a host is missing/],
  ['ws://a:1,wss://b:2', /same scheme/],
  ['ws://a:port', /"port" of "a:port" is no port/],
  ['ws://a:0', /is no port/],
  ['ws://a:65536', /is no port/],
  ['ws://a:', /is no port/],
  ['ws://::1', /in brackets/],
  ['ws://user@a:1', /is no host/],
  ['ws://a:1?x=1', /"1\?x=1" of .* is no port/],
  ['tcp://a', /has no port/],
  ['ws://a:1/x//y', /chroot .* empty segment/],
  ['ws://a:1/x/../y', /chroot .* segment "\.\."/],
];

for (const [text, why] of refused) {
  test(`"${text}" is refused: ${why.source}`, () => {
    const failure = ((): unknown => {
      try {
        return parseConnectString(text);
      } catch (error) {
        return error;
      }
    })();
    assert.instance(failure, ConnectStringError);
    assert.match((failure as Error).message, why);
    assert.match((failure as Error).message, 'ws://host:port');
  });
}

test.run();
