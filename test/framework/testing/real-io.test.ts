import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Config, Service, Services } from '../../../framework/index.js';
import { TestFleet } from '../../../framework/testing/index.js';

@Service({ name: 'hello', address: '127.0.0.1', port: (hello: Hello) => hello.port })
class Hello {
  readonly #server: Server = createServer((_request, response) => void response.end('hello'));

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

test('a service that really listens is called while time stands still, so that no deadline passes', async () => {
  await using fleet = await TestFleet.start({ members: 3 });
  await fleet.application({ declare: [Hello] });
  const shop = await fleet.application({ declare: [] });
  const services = shop.get(Services);
  for (let call = 0; call < 20; call++) {
    const response = await services.fetch('hello', '/', { deadlineMs: 1 });
    assert.is(await response.text(), 'hello');
  }
});

test('a start that reads and writes files takes next to no virtual time', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-kit-'));
  @Config({ name: 'shop' })
  class ShopConfig {
    currency = 'EUR';
  }
  await using fleet = await TestFleet.start();
  const before = fleet.clock.now();
  await fleet.application({ declare: [ShopConfig], lastKnownGood: directory });
  const took = fleet.clock.now() - before;
  assert.is(took, 0);
  rmSync(directory, { recursive: true });
});

test('what waits for files is not overtaken by virtual time', async () => {
  await using fleet = await TestFleet.start();
  const before = fleet.clock.now();
  const reading = async (): Promise<void> => {
    for (let read = 0; read < 20; read++) await readFile(import.meta.filename);
  };
  await fleet.wait(reading());
  assert.is(fleet.clock.now(), before);
});

test('what calls a service of the same process is not overtaken by virtual time', async () => {
  await using fleet = await TestFleet.start();
  await fleet.application({ declare: [Hello] });
  const shop = await fleet.application({ declare: [] });
  const services = shop.get(Services);
  const before = fleet.clock.now();
  const calling = async (): Promise<void> => {
    for (let call = 0; call < 20; call++) await (await services.fetch('hello', '/')).text();
  };
  await fleet.wait(calling());
  assert.is(fleet.clock.now(), before);
});

test('a request that nobody answers holds time up once, and not for long', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-kit-'));
  const pipe = join(directory, 'pipe');
  spawnSync('mkfifo', [pipe]);
  const opening = open(pipe, 'r');
  await using fleet = await TestFleet.start();
  const startedAt = performance.now();

  await fleet.advance(600_000);
  await fleet.advance(600_000);

  const took = performance.now() - startedAt;
  assert.ok(took < 20_000, `${took} ms`);
  const writer = await open(pipe, 'w');
  await Promise.all([writer.close(), (await opening).close()]);
  rmSync(directory, { recursive: true });
});

test.run();
