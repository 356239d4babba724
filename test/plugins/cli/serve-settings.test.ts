import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { environmentName, resolveSettings, SETTINGS } from '../../../plugins/cli/serve-settings.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

function file(content: string): string {
  const path = join(folder, 'config.json');
  writeFileSync(path, content);
  return path;
}

test('a flag goes before the environment, and the environment before the file', () => {
  const configFile = file('{"data":"from-file","port":1,"tickMs":11,"host":"h"}');
  const environment = { QUORATE_PORT: '2', QUORATE_TICK_MS: '22' };

  const settings = resolveSettings({ flags: { port: '3' }, environment, configFile });

  assert.equal(settings, {
    data: 'from-file',
    port: 3,
    tickMs: 22,
    host: 'h',
    logLevel: 'info',
  });
});

test('the file may be named by the environment', () => {
  const environment = { QUORATE_CONFIG: file('{"data":"d","ttlNodes":false}') };
  assert.is(resolveSettings({ flags: {}, environment }).ttlNodes, false);
});

test('a misspelt variable is refused by name with the one that was meant, and those of others are left alone', () => {
  const resolve = (environment: Record<string, string>) => () =>
    resolveSettings({ flags: { data: 'd' }, environment });
  assert.throws(resolve({ QUORATE_TICKMS: '5' }), /QUORATE_TICKMS.*Did you mean QUORATE_TICK_MS/s);
  assert.throws(resolve({ QUORATE_SECRETFILE: 'x' }), /Did you mean QUORATE_SECRET_FILE/);
  // As Kubernetes sets them for a service of that name, and commands read them.
  const others = {
    QUORATE_SERVICE_HOST: '10.0.0.1',
    QUORATE_PORT_7300_TCP_ADDR: '10.0.0.1',
    QUORATE_CONNECT: 'ws://a',
    QUORATE_TLS_SERVER_NAME: 'a',
    QUORATE_HOME: '/opt',
  };
  assert.is(resolve(others)().data, 'd');
});

test('an ensemble without the number of this member is refused', () => {
  const flags = { data: 'd', ensemble: '1=a,2=b,3=c' };
  assert.throws(() => resolveSettings({ flags, environment: {} }), /id.*Give --id, QUORATE_ID/s);
  assert.is(resolveSettings({ flags: { ...flags, id: '2' }, environment: {} }).id, 2);
});

test('every setting has an environment variable of its own', () => {
  assert.is(environmentName('maxConnectionsPerAddress'), 'QUORATE_MAX_CONNECTIONS_PER_ADDRESS');
  assert.is(new Set(SETTINGS.map(({ name }) => environmentName(name))).size, SETTINGS.length);
});

test('the members of an ensemble, its secret and its limits can be set in all three places', () => {
  const members = '1=a:7300,2=b:7300,3=c:7300:observer';
  const settings = resolveSettings({
    flags: { data: 'd', id: '3', observer: true },
    environment: { QUORATE_ENSEMBLE: members, QUORATE_SECRET_FILE: '/run/secret', QUORATE_SYNC_LIMIT: '4' },
    configFile: file('{"initLimit":20,"ensemble":"1=x"}'),
  });
  assert.equal(settings, {
    data: 'd',
    id: 3,
    observer: true,
    ensemble: members,
    secretFile: '/run/secret',
    initLimit: 20,
    syncLimit: 4,
    logLevel: 'info',
  });
});

test('switches are read from the environment as words', () => {
  const settings = resolveSettings({
    flags: { data: 'd' },
    environment: { QUORATE_ENFORCE_QUOTA: 'true', QUORATE_TTL_NODES: 'no' },
  });
  assert.equal([settings.enforceQuota, settings.ttlNodes], [true, false]);
});

test('a wrong value is refused with the place where it stands and what would do', () => {
  const refusal = (sources: Partial<Parameters<typeof resolveSettings>[0]>): string => {
    try {
      resolveSettings({ flags: { data: 'd' }, environment: {}, ...sources });
      return 'accepted';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(refusal({ flags: { data: 'd', port: 'many' } }), /--port.*"many" is not a whole number/);
  assert.match(refusal({ environment: { QUORATE_TICK_MS: '1.5' } }), /QUORATE_TICK_MS.*not a whole number/);
  assert.match(refusal({ configFile: file('{"port":"x"}') }), /"port" in the configuration file/);
  assert.match(refusal({ configFile: file('{"prot":1}') }), /"prot", which is unknown.*Known: data/);
  assert.match(refusal({ configFile: file('[1]') }), /no JSON object/);
  assert.match(refusal({ configFile: file('{') }), /cannot be read/);
  assert.match(refusal({ configFile: join(folder, 'absent') }), /cannot be read/);
  assert.match(refusal({ flags: {} }), /data.*missing/);
  assert.match(refusal({ environment: { QUORATE_LOG_LEVEL: 'loud' } }), /loud is unknown.*debug/);
});

test.run();
