/**
 * Who is asking. X-Forwarded-For is a claim: it is believed only as far as trusted proxies wrote it, read from its
 * right end.
 */
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type AddressRange = readonly [Address, number];

/** Parses `10.0.0.0/8` or `10.0.0.1`; undefined when it is neither. */
export const parseRange = (text: string): AddressRange | undefined => {
  if (ipaddr.isValidCIDR(text)) {
    const [address, bits] = ipaddr.parseCIDR(text);
    return [address, bits];
  }
  if (!ipaddr.isValid(text)) return undefined;
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
};

const parse = (text: string): Address | undefined => (ipaddr.isValid(text) ? ipaddr.process(text) : undefined);

const within = (address: Address, [range, bits]: AddressRange): boolean =>
  address.kind() === range.kind() && address.match(range as ipaddr.IPv4 & ipaddr.IPv6, bits);

/** The client's address as text; `socketAddress` as Node gives it. */
export const clientAddress = (
  socketAddress: string,
  forwardedFor: string | undefined,
  trusted: readonly AddressRange[],
): string => {
  let address = parse(socketAddress);
  if (address === undefined) return "";
  if (forwardedFor !== undefined && trusted.length > 0) {
    const hops = forwardedFor.split(",");
    while (hops.length > 0 && trusted.some((range) => within(address as Address, range))) {
      const hop: Address | undefined = parse((hops.pop() ?? "").trim());
      if (hop === undefined) break;
      address = hop;
    }
  }
  return address.toString();
};

const ranges = new WeakMap<readonly string[], (AddressRange | undefined)[]>();

/** Whether an allowlist admits the address. An entry that cannot be read admits nobody. */
export const isAllowed = (address: string, allowlist: readonly string[]): boolean => {
  if (allowlist.length === 0) return true;
  let parsed = ranges.get(allowlist);
  if (parsed === undefined) ranges.set(allowlist, (parsed = allowlist.map(parseRange)));
  const own = parse(address);
  return own !== undefined && parsed.some((range) => range !== undefined && within(own, range));
};
