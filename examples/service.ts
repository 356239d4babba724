/**
 * A service: started by the framework, registered under its name, found by others, gone when it stops.
 *
 * Run: node dist/examples/service.js
 *
 * Prints:
 *   billing answers on a port of its own
 *   the shop finds 1 instance of billing in region eu
 *   billing says: invoice for Anna
 *   billing has stopped: the shop finds 0 instances
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Application, connect, Service, Services } from 'quorate';

@Service({
  name: 'billing',
  address: '127.0.0.1',
  port: (billing: Billing) => billing.port,
  payload: { region: 'eu' },
})
class Billing {
  readonly #server: Server = createServer((request, response) => {
    response.end(`invoice for ${new URL(request.url ?? '/', 'http://billing').searchParams.get('customer')}`);
  });

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Called before the service is registered: from then on it can answer. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    console.log('billing answers on a port of its own');
  }

  /** Called when it is no longer registered. */
  async stop(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

// Two applications on one ensemble in memory; in a real fleet each runs on a machine of its own and has
// a connect string such as 'ws://a:7300,b:7300,c:7300'.
await using ensemble = await connect('embedded:');
const billing = await Application.start({ connect: ensemble, declare: [Billing] });
await using shop = await Application.start({ connect: ensemble, declare: [] });
const services = shop.get(Services);

const found = await services.find<{ region: string }>('billing');
console.log(`the shop finds ${found.length} instance of billing in region ${found[0]?.payload?.region}`);
const { address, port } = await services.pick('billing');
const response = await fetch(`http://${address}:${port}/?customer=Anna`, {
  headers: { connection: 'close' },
});
console.log(`billing says: ${await response.text()}`);

await billing.stop();
for await (const instances of services.watch('billing')) {
  if (instances.length > 0) continue;
  console.log(`billing has stopped: the shop finds ${instances.length} instances`);
  break;
}
