/** Awaits what time would have to move for. */
import { TestFleet } from 'quorate/testing';

const fleet = await TestFleet.start();
await fleet.application({ declare: [], id: 'shop' });
await fleet.sleep(1000);
