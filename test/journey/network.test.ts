import { expect, it } from "vitest";
import { networkOf } from "../../src/journey/network.ts";

it.each([
  ["203.0.113.7", "203.0.113.7"],
  ["2001:db8:0:1::7", "2001:db8:0:1"],
  ["2001:DB8:0:1:2:3:4:5", "2001:db8:0:1"],
  ["2001:0db8::0001", "2001:db8:0:0"],
  ["2001:db8::", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["::ffff:203.0.113.7", "::ffff:203.0.113.7"],
  ["unknown", "unknown"],
])("%s is one client with %s", (address, network) => expect(networkOf(address)).toBe(network));
