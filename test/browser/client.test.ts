import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type * as quorateClient from '../../core/client/index.js';
import { serve, type Served } from '../../core/server/index.js';
import { bundleClient } from './bundle.js';

/** The bundle's global, inside the page. */
declare const quorate: typeof quorateClient;

const FLAGS = [
  '--no-sandbox',
  '--headless',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);
const test = suite('browser');
const scratch = mkdtempSync(join(tmpdir(), 'quorate-browser-'));
let browser: Browser;
let code: string;

test.before(async () => {
  if (!isThere) throw new Error(`no Chromium at ${executablePath}: install it, or set CHROMIUM_PATH`);
  ({ code } = await bundleClient());
  browser = await chromium.launch({ executablePath, args: FLAGS });
});

test.after(async () => {
  await browser?.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** A site that answers everything with one page. */
async function serving(page: string): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A page that has the client, and a member on loopback. */
async function inPage(name: string, body: (page: Page, member: Served) => Promise<void>): Promise<void> {
  await using member = await serve({
    data: join(scratch, name),
    port: 0,
    tickMs: 100,
    allowedOrigins: ['null'],
  });
  const page = await browser.newPage();
  try {
    await page.addScriptTag({ content: code });
    await body(page, member);
  } finally {
    await page.close();
  }
}

test('a page connects, creates, reads and is told of a change', async () => {
  await inPage('basics', async (page, member) => {
    const seen = await page.evaluate(async (address) => {
      const client = await quorate.connect(address);
      const other = await quorate.connect(address);
      const told = new Promise((resolve) => {
        void client.exists('/a', { watch: ({ type, path }) => resolve(`${type} ${path}`) });
      });
      await client.sync('/');
      const { path } = await other.create('/a', 'grüß');
      const { data, stat } = await client.getData('/a');
      const missing = await client.getData('/b').catch((error: quorateClient.ClientError) => error.code);
      const result = [path, new TextDecoder().decode(data), stat.version, await told, missing];
      await client.close();
      await other.close();
      return [...result, client.state];
    }, member.address);
    assert.equal(seen, ['/a', 'grüß', 0, 'created /a', 'NO_NODE', 'closed']);
  });
});

test('an ephemeral znode of a page goes when its client is closed', async () => {
  await inPage('ephemeral', async (page, member) => {
    const seen = await page.evaluate(async (address) => {
      const client = await quorate.connect(address);
      const other = await quorate.connect(address);
      await client.create('/here', null, { mode: 'ephemeral' });
      const before = await other.exists('/here');
      await client.close();
      const after = await other.exists('/here');
      await other.close();
      return [before !== null, after];
    }, member.address);
    assert.equal(seen, [true, null]);
  });
});

test('a page keeps its session over the restart of the member, and its stream is armed anew', async () => {
  const data = join(scratch, 'restart');
  const first = await serve({ data, port: 0, tickMs: 100, allowedOrigins: ['null'] });
  const page = await browser.newPage();
  try {
    await page.addScriptTag({ content: code });
    await page.evaluate(async (address) => {
      const client = await quorate.connect(address);
      const states: string[] = [];
      client.onState((state) => states.push(state));
      const events: string[] = [];
      void (async () => {
        for await (const { type } of client.watch('/news')) events.push(type);
      })();
      await client.create('/here', 'x', { mode: 'ephemeral' });
      Object.assign(globalThis, { client, states, events, sessionId: client.session.id });
    }, first.address);
    await first.close();
    await page.waitForFunction(() =>
      (globalThis as unknown as { states: string[] }).states.includes('suspended'),
    );
    await using second = await serve({ data, port: first.port, tickMs: 100, allowedOrigins: ['null'] });
    assert.is(second.port, first.port);
    const seen = await page.evaluate(async () => {
      const { client, states, events, sessionId } = globalThis as unknown as {
        client: quorateClient.Client;
        states: string[];
        events: string[];
        sessionId: bigint;
      };
      const here = await client.exists('/here');
      await client.create('/news');
      await client.sync('/');
      const result = [here !== null, client.session.id === sessionId, states.join(), events.join()];
      await client.close();
      return result;
    });
    assert.equal(seen, [true, true, 'suspended,connected', 'armed,armed,created']);
  } finally {
    await page.close();
    await first.close();
  }
});

test('a page that nobody answers is told so in time', async () => {
  await inPage('nobody', async (page) => {
    const failure = await page.evaluate(() =>
      quorate
        .connect('ws://127.0.0.1:1', { connectTimeoutMs: 500 })
        .then(() => 'connected')
        .catch((error: quorateClient.ClientError) => error.code),
    );
    assert.is(failure, 'CONNECT_TIMEOUT');
  });
});

if (isThere || process.env['CI'] !== undefined)
  test('a page of another site cannot use a member on this machine', async () => {
    await using member = await serve({ data: join(scratch, 'foreign-page'), port: 0, tickMs: 100 });
    await using site = await serving('<!doctype html><title>another site</title>');
    const page = await browser.newPage();
    await page.goto(site.address);
    const outcome = await page.evaluate(
      (address) =>
        new Promise<string>((resolve) => {
          const socket = new WebSocket(`${address}/client`, ['zookeeper.v1']);
          socket.onopen = () => resolve('opened');
          socket.onerror = () => resolve('refused');
        }),
      member.address,
    );
    await page.close();

    assert.is(outcome, 'refused');
  });

test('a page whose origin is allowed connects', async () => {
  await using site = await serving('<!doctype html><title>our own site</title>');
  await using member = await serve({
    data: join(scratch, 'own-page'),
    port: 0,
    tickMs: 100,
    allowedOrigins: [site.address],
  });
  const page = await browser.newPage();
  await page.goto(site.address);
  await page.addScriptTag({ content: code });
  const state = await page.evaluate(async (address) => {
    const client = await quorate.connect(address);
    const { state: connected } = client;
    await client.close();
    return connected;
  }, member.address);
  await page.close();

  assert.is(state, 'connected');
});

test.run();
