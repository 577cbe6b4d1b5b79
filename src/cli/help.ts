/** What `carpool --help` prints. */
export const HELP = `carpool keeps a service reachable: it shares an address between two machines (CARP)
and balances the traffic that arrives there over your servers (haproxy.cfg).

  carpool -f FILE               run; "carpool run -f FILE" is the same
  carpool -c -f FILE            check the configuration and say what is wrong with it
  carpool status                who holds which address, since when and why
  carpool explain [VHID]        why each vhid is in its state, and what would change that
  carpool doctor [-f FILE]      what is wrong on the segment, this host and in the daemon
  carpool drain | maint         give addresses to the other node; "carpool ready" takes it back
  carpool demote N --for 10m    be less preferred by N; "carpool undemote" takes it back
  carpool netstat               counters, as netstat of the BSDs prints them
  carpool init                  write the files of a new pair
  carpool diff A B              compare the files of two nodes
  carpool events                follow what happens, one JSON object a line
  carpool reload                read the files again and change to them without a break
  carpool workers               earlier configurations, and whom they still serve
  carpool show … | set …        HAProxy's runtime API: show stat, show sess, set server …
  carpool ifconfig …            the BSDs' ifconfig, against the running daemon ("carpool run" starts an empty one)
  carpool sysctl …              net.inet.carp of the running daemon
  carpool convert [--to X] FILE rc.conf, hostname.carp0, interfaces, ucarp's arguments into each other
  carpool lab [SCENARIO]        play a failover on this machine, in namespaces of its own
  carpool ucarp OPTIONS         run with ucarp's arguments (-i -s -v -p -a …)
  carpool debian up|down IFACE  run what /etc/network/interfaces says about ucarp (ifupdown's hooks call it)

"carpool COMMAND --help" tells what one command takes.

Run:
  -f FILE|DIR    haproxy.cfg with or without "carp" sections, or rc.conf; may be repeated
  -- FILE …      the rest of the line are files
  -c             check only: exit status 0 when the files are valid, 1 when not
  -D             go to the background; the command returns when clients are served
  -db, -d, -Ws   stay in the foreground, whatever the file says
  -p FILE        write the process number there
  -x SOCKET      take the listening sockets of the process behind this socket
  -sf PID …      take the place of these processes, whose clients may finish (-st: not)
  -S ADDRESS     a socket as of HAProxy's master: the runtime API, "show proc", "reload"
  -n N           at most N connections of the whole process
  -m MEGABYTES   the memory that it may take for itself
  -C DIR         go to this directory first
  -cc CONDITION  exit status 0 when it holds, such as "version_atleast(2.4)"; 1 when not
  -q             print nothing but errors
  -V             undo -q
  -v, -vv        print the version, and what carpool has of HAProxy's features
  --socket PATH  the control socket

The control socket is --socket, else $CARPOOL_SOCKET, else /run/carpool/carpool.sock, else
$XDG_RUNTIME_DIR/carpool.sock.

Exit status: 0 done, 1 a mistake (the message says which and how to mend it), 3 no daemon is running.

A file to begin with, the same on both machines but for advskew (the lower one is preferred):

  carp web
      interface eth0
      vhid 1
      pass "s3cret"
      address 10.10.0.1/16
      advskew 0
      preempt
`;
