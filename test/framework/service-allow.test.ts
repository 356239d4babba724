import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { InvalidArgumentError } from '../../core/runtime/index.js';
import { AllowedHosts, isHost } from '../../framework/service-allow.js';

test('hosts, domains, addresses and networks include what they say, and nothing else', () => {
  const allowed = new AllowedHosts([
    'Billing.internal',
    '*.svc.local',
    '10.0.0.0/8',
    '192.168.1.5',
    'fd00::/8',
  ]);
  for (const host of [
    'billing.internal',
    'BILLING.internal.',
    'a.svc.local',
    'a.b.svc.local',
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '192.168.1.5',
    'fd12::1',
  ])
    assert.ok(allowed.includes(host), host);
  for (const host of [
    'evil.billing.internal',
    'svc.local',
    'evilsvc.local',
    'a.svc.local.evil',
    '11.0.0.1',
    '192.168.1.6',
    'fe80::1',
    '167838211',
    '0x0a.1',
    '10.evil',
    '',
  ])
    assert.not(allowed.includes(host), host);
  assert.not(new AllowedHosts([]).includes('10.0.0.1'));
});

test('an entry that is no host and no network is refused by name', () => {
  for (const entry of [
    '',
    '*',
    '10.0.0.0/33',
    '10.0.0.0/8/9',
    'http://a',
    'a b',
    '*.',
    'a/8',
    5 as unknown as string,
  ]) {
    let code: string | undefined;
    try {
      code = new AllowedHosts([entry]).includes('') ? 'included' : 'accepted';
    } catch (error) {
      ({ code } = error as InvalidArgumentError);
    }
    assert.is(code, 'INVALID_ARGUMENT', entry);
  }
});

test('an address that would change the URL of a call is no host', () => {
  for (const address of ['localhost', 'a-b.example.', '10.0.0.1', '::1', 'under_score'])
    assert.ok(isHost(address), address);
  for (const address of [
    '',
    'user@evil',
    'evil/path',
    'evil?',
    'evil#',
    'evil:80',
    '[::1]',
    'a b',
    'a\nb',
    '-a',
  ])
    assert.not(isHost(address), address);
});

test.run();
