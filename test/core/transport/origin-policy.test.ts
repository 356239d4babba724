import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OriginPolicy } from '../../../core/transport/listener.js';

const isRefused = (refusal: string | null): boolean => refusal !== null;

test('a client without Origin is no browser and is accepted under any Host', () => {
  const policy = new OriginPolicy({ host: '127.0.0.1' });
  for (const host of ['127.0.0.1:7300', 'upstream', undefined])
    assert.is(policy.refusalOfClient({ host }), null, `${host}`);
});

test('every Origin of a client is refused unless it is allowed', () => {
  const strict = new OriginPolicy({ host: '0.0.0.0' });
  const open = new OriginPolicy({
    host: '0.0.0.0',
    allowedOrigins: ['https://App.example', 'http://b.example:8080'],
  });
  const host = 'a.example:7300';

  for (const origin of ['https://app.example', 'http://a.example:7300', 'null', 'file://', ''])
    assert.ok(isRefused(strict.refusalOfClient({ origin, host })), origin);
  for (const origin of ['https://app.example', 'http://b.example:8080'])
    assert.is(open.refusalOfClient({ origin, host }), null, origin);
  for (const origin of ['http://app.example', 'https://app.example:444', 'https://app.example.evil', 'null'])
    assert.ok(isRefused(open.refusalOfClient({ origin, host })), origin);
});

test('self allows pages of the listener under a known name, and not under a name that an attacker controls', () => {
  const local = new OriginPolicy({ host: '127.0.0.1', allowedOrigins: ['self'] });
  const remote = new OriginPolicy({
    host: '0.0.0.0',
    allowedOrigins: ['self'],
    allowedHosts: ['Quorate.example'],
  });
  const from = (origin: string, host: string): { origin: string; host: string } => ({ origin, host });

  for (const name of ['localhost:7300', '127.0.0.1:7300', '[::1]:7300'])
    assert.is(local.refusalOfClient(from(`http://${name}`, name)), null, name);
  assert.is(remote.refusalOfClient(from('https://quorate.example', 'quorate.example')), null);
  assert.is(remote.refusalOfClient(from('http://10.0.0.7:7300', '10.0.0.7:7300')), null);
  for (const policy of [local, remote]) {
    assert.ok(isRefused(policy.refusalOfClient(from('http://evil.example:7300', 'evil.example:7300'))));
    assert.ok(isRefused(policy.refusalOfClient(from('http://localhost:8080', 'localhost:7300'))));
  }
});

test('a link between members is refused with any Origin', () => {
  const policy = new OriginPolicy({ host: '127.0.0.1', allowedOrigins: ['self', 'https://app.example'] });

  assert.is(policy.refusalOfPeer({ host: '127.0.0.1:7300' }), null);
  for (const origin of ['https://app.example', 'http://127.0.0.1:7300', 'null'])
    assert.ok(isRefused(policy.refusalOfPeer({ origin, host: '127.0.0.1:7300' })), origin);
});

test('a status on loopback is shown under names of this machine only, elsewhere under any name', () => {
  const local = new OriginPolicy({ host: '127.0.0.1', allowedHosts: ['upstream'] });
  const remote = new OriginPolicy({ host: '0.0.0.0' });

  for (const host of ['localhost', 'LOCALHOST:7300', '127.0.0.1:7300', '[::1]:7300', 'upstream:80'])
    assert.is(local.refusalOfGet({ host }), null, host);
  for (const host of ['evil.example:7300', 'localhost.evil.example', '10.0.0.7', '', undefined])
    assert.ok(isRefused(local.refusalOfGet({ host })), `${host}`);
  assert.is(remote.refusalOfGet({ host: 'a.example' }), null);
});

test('an allowed origin that no browser sends is refused by name', () => {
  for (const origin of ['app.example', 'https://app.example/', 'https://app.example/path', '*', ''])
    assert.throws(
      () => new OriginPolicy({ host: '127.0.0.1', allowedOrigins: [origin] }),
      (error: { code?: string; message: string }) =>
        error.code === 'INVALID_ORIGIN' && error.message.includes(`"${origin}"`),
      origin,
    );
});

test.run();
