/**
 * Configuration: defaults in a class, values in a znode, reloaded while the application runs. A value that does not fit
 * the schema never reaches it.
 *
 * Run: node dist/examples/config.js
 *
 * Prints:
 *   at the start: 1000 EUR a day
 *   after a write: 250 EUR a day (it was 1000)
 *   refused when written: /dailyLimit must be >= 0
 *   refused when read: /currency must be equal to one of the allowed values: ["EUR","USD"]
 *   still: 250 EUR a day
 *
 * The value that is refused when it is read is logged to stderr as well, as errors are by default.
 */
import {
  Application,
  Client,
  Config,
  ConfigStore,
  inject,
  onReload,
  Service,
  type ConfigRefusedError,
} from 'quorate';

const schema = {
  type: 'object',
  properties: { currency: { enum: ['EUR', 'USD'] }, dailyLimit: { type: 'number', minimum: 0 } },
  additionalProperties: false,
};

@Config({ name: 'billing', schema })
class BillingConfig {
  currency = 'EUR';
  dailyLimit = 1000;
}

@Service({ name: 'billing' })
class Billing {
  /** The object stays the same for the life of the application; its fields are always the newest good value. */
  constructor(@inject(BillingConfig) readonly config: BillingConfig) {}

  describe(): string {
    return `${this.config.dailyLimit} ${this.config.currency} a day`;
  }
}

await using app = await Application.start({ connect: 'embedded:', declare: [BillingConfig, Billing] });
const billing = app.get(Billing);
const store = app.get(ConfigStore);
console.log(`at the start: ${billing.describe()}`);

const reloaded = new Promise<void>((resolve) => {
  onReload(billing.config, (_config, previous) => {
    console.log(`after a write: ${billing.describe()} (it was ${previous.dailyLimit})`);
    resolve();
  });
});
await store.write('billing', { dailyLimit: 250 });
await reloaded;

// The store judges a value as the application would, so this one is not even written.
await store.write('billing', { dailyLimit: -1 }).catch((error: ConfigRefusedError) => {
  console.log(`refused when written: ${error.violations.join()}`);
});

// Somebody else, with any ZooKeeper client, writes nonsense: the last good value stays.
const refused = new Promise<void>((resolve) => {
  app.on('config-refused', ({ violations }) => {
    console.log(`refused when read: ${violations.join()}`);
    resolve();
  });
});
await app.get(Client).setData('/config/billing', '{"currency":"DM"}');
await refused;
console.log(`still: ${billing.describe()}`);
