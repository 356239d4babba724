import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withoutCredentials } from '../../../core/runtime/index.js';
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

test('a password in a connect string is not quoted by the error', () => {
  for (const text of [
    'ws://anna:hunter2@a:1',
    '//anna:hunter2@a',
    'ws://b:1,anna:hunter2@a:1',
    'ws://anna:hun/hunter2@a',
  ]) {
    let failure: ConnectStringError | null = null;
    try {
      parseConnectString(text);
    } catch (error) {
      failure = error as ConnectStringError;
    }
    assert.instance(failure, ConnectStringError);
    assert.not.match(
      `${failure!.message} ${JSON.stringify(failure!.fields)} ${failure!.stack}`,
      /hunter2/,
      text,
    );
  }
});

test('what stands before an @ is hidden in the text of an error, and nothing else is', () => {
  assert.is(withoutCredentials('postgres://anna:hunter2@db:1/x'), 'postgres://[hidden]@db:1/x');
  assert.is(withoutCredentials('anna:hunter2@a'), '[hidden]@a');
  assert.is(
    withoutCredentials('connect string "a:b@c,d:e@f": no'),
    'connect string "[hidden]@c,[hidden]@f": no',
  );
  assert.is(withoutCredentials('ws://a:1,b:2/chroot'), 'ws://a:1,b:2/chroot');
});

test.run();
