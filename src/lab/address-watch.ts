/** Watches which addresses a host has, through a netlink socket inside its namespace. */
import { insideNetworkNamespace } from '../system/namespaces.ts';
import { GROUP_IPV4_ADDRESS, NetlinkEvents } from '../system/netlink.ts';
import { decodeAddress } from '../system/netlink-address.ts';
import { RTM_NEWADDR } from '../system/netlink-message.ts';

export class AddressWatch {
  readonly #events: NetlinkEvents;
  readonly #present = new Set<string>();
  readonly #onChange: (address: string, present: boolean) => void;

  constructor(namespace_fd: number, onChange: (address: string, present: boolean) => void) {
    this.#events = insideNetworkNamespace(namespace_fd, () => new NetlinkEvents(GROUP_IPV4_ADDRESS));
    this.#onChange = onChange;
  }

  /** Readable when the kernel has something to tell. */
  get fd(): number {
    return this.#events.fd;
  }

  /** Takes what the kernel has to tell; never blocks. A renewed lease is no change. */
  read(): void {
    this.#events.read({
      message: (message) => {
        const change = decodeAddress(message);
        if (!change) return;
        const present = message.type === RTM_NEWADDR;
        if (this.#present.has(change.address) === present) return;
        if (present) this.#present.add(change.address);
        else this.#present.delete(change.address);
        this.#onChange(change.address, present);
      },
      lost: () => {}, // a megabyte is read 200 times a second
    });
  }

  close(): void {
    this.#events.close();
  }
}
