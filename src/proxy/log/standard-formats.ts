/** The formats that options name, as `log-format` strings (manual, sections 8.2.2 to 8.2.4). */
import type { LogFormat } from '../../config/model.ts';

export const STANDARD_FORMATS: Readonly<Record<Exclude<LogFormat['kind'], 'text' | 'none'>, string>> = {
  tcplog: '%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq',
  httplog: '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r',
  // what only TLS knows is `-`
  httpslog:
    '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r 0/-/-/-/0 -/%sslv/%sslc',
  clf: '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl',
};

/** Without a format HAProxy tells of the connection only. */
export const CONNECT_FORMAT = 'Connect from %ci:%cp to %fi:%fp (%f/';
