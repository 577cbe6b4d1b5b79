/** Whoever demotes by net.inet.carp.demotion. */
export const SYSCTL_OWNER = 'sysctl';
