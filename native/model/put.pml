/* native/model/put.pml: how records get from rings to a relay's files, exactly once, whatever breaks: native/consumer on one side,
 * relay/src/ports and recording on the other. The connection breaks, the relay is killed and starts again, the traced process is killed and
 * what it left is recovered, and its session changes, so that what comes later goes into other rings. test/models.test.ts runs it by
 * spin, whole, and with each fault below, which it must find.
 *
 *   -DFAULT_EARLY_RELEASE  a ring gives up what was sent before it is acknowledged
 *   -DFAULT_NO_HELD        after a break the sender goes on by what it knows, and not by what the relay holds
 *   -DFAULT_EARLY_ACK      a put is acknowledged before its packets are written
 *   -DFAULT_ONE_MARK       a stream has one mark, not the newest two
 *   -DFAULT_NO_CUT         what a kill left of half a put stays in the file
 *   -DFAULT_CHANGE         a session that changes lets go of rings that are not delivered
 *   -DFAULT_END            none: that the end of a run is reached, where all is asserted, is seen by an assertion that fails
 *
 * Records have numbers from 0; those from `changed_at` are in the second rings, with a stream of their own. */

#define RECORDS 3
#define BREAKS 2
#define WINDOW 2
#define NONE 255

/* Rings, by session: which records were ever written, and from which on they are kept. They outlive the process. */
byte head[2], tail[2];
bool is_gone[2];
byte emitted, changed_at = NONE;
bool process_alive = true;
#define first_of(s) (s == 0 -> 0 : changed_at)

/* The relay's disk, by session: records in the file, in order, and the two marks: a put's number and where the file ends then. */
typedef Disk { byte file[RECORDS + 2]; byte size; byte mark_put[2]; byte mark_end[2] };
Disk disk[2];

/* One connection. What is under way goes with it. */
mtype = { HELLO, PUT, HELD, ACK };
chan up = [WINDOW] of { mtype, byte, byte, byte };
chan down = [WINDOW] of { mtype, byte, byte };
byte connection; /* its number; another one begins where it breaks */
byte breaks, kills;
bool relay_killed, all_delivered;

inline break_it() {
  connection++;
  do :: nempty(up) -> up?_, _, _, _ :: empty(up) -> break od;
  do :: nempty(down) -> down?_, _, _ :: empty(down) -> break od
}

active proctype Emitter() {
  byte s;
  do
  :: atomic { process_alive && emitted < RECORDS ->
      s = (changed_at == NONE -> 0 : 1);
      head[s]++; emitted++ }
  :: atomic { process_alive && emitted < RECORDS && changed_at == NONE -> changed_at = emitted }
  :: emitted == RECORDS || !process_alive -> break
  od;
  process_alive = false /* it ends, or was killed */
}

active proctype Faults() {
  do
  :: atomic { breaks < BREAKS && !all_delivered -> breaks++; break_it() }
  :: atomic { kills == 0 && !all_delivered -> kills++; relay_killed = true; break_it() }
  :: process_alive -> process_alive = false
  :: all_delivered -> break
  od
}

/* The consumer of a living process, or who recovers a dead one's folder: they know the same. */
active proctype Sender() {
  byte s, mine, at, put, acknowledged, end[WINDOW + 1], value, position, until;
  bool greeted;

  do
  :: s == 2 -> break
  :: else ->
    if
    :: atomic { mine != connection || !greeted ->
        mine = connection; greeted = false };
      atomic { mine == connection && nfull(up) -> up!HELLO, s, 0, 0 };
      if
      :: atomic { mine == connection && down?[HELD, value, position] -> down?HELD, value, position };
#ifdef FAULT_NO_HELD
        if
        :: acknowledged > 0 -> at = tail[s]; put = acknowledged
        :: else -> at = position; put = value; tail[s] = position
        fi;
#else
        at = position; put = value;
        atomic { if :: position > tail[s] -> tail[s] = position :: else fi };
#endif
        greeted = true
      :: mine != connection
      fi
    :: atomic { greeted && mine == connection && down?[ACK, value, position] ->
        down?ACK, value, position;
        tail[s] = end[value % (WINDOW + 1)]; acknowledged = value }
    :: greeted && mine == connection && nfull(up) && at < head[s] && put - acknowledged < WINDOW ->
      until = head[s];
      if :: until = at + 1 :: until = until fi; /* one record, or all that are there */
      assert(at >= tail[s]); /* else it is overwritten */
      put++;
      end[put % (WINDOW + 1)] = until;
      atomic { if :: mine == connection && nfull(up) -> up!PUT, put, at, until :: else fi };
      at = until;
#ifdef FAULT_EARLY_RELEASE
      tail[s] = until
#endif
    :: greeted && mine == connection && tail[s] == head[s] && (!process_alive || (s == 0 && changed_at != NONE)) ->
      is_gone[s] = true; /* the folder is removed */
      s++; at = 0; put = 0; acknowledged = 0;
      atomic { break_it(); greeted = false }
#ifdef FAULT_CHANGE
    :: s == 0 && changed_at != NONE ->
      is_gone[s] = true;
      s++; at = 0; put = 0; acknowledged = 0;
      atomic { break_it(); greeted = false }
#endif
    fi
  od;
  all_delivered = true
}

#ifdef FAULT_ONE_MARK
#define mark_of(put) 0
#else
#define mark_of(put) ((put) % 2)
#endif

inline answer(what, value, position) {
  atomic { if :: mine == connection && nfull(down) -> down!what, value, position :: else fi }
}

active proctype Relay() {
  byte s, mine, put, end, value, from, until, newest;

  start:
  atomic { relay_killed = false; mine = connection };
  do
  :: all_delivered -> break
  :: relay_killed -> goto start
  :: atomic { !relay_killed && up?[HELLO, s, from, until] -> up?HELLO, s, from, until; mine = connection };
    /* The newest mark that the file bears out, and the file cut to it. */
    newest = (disk[s].mark_put[0] > disk[s].mark_put[1] -> 0 : 1);
    if :: disk[s].mark_end[newest] > disk[s].size -> newest = 1 - newest :: else fi;
    put = disk[s].mark_put[newest]; end = disk[s].mark_end[newest];
#ifndef FAULT_NO_CUT
    disk[s].size = end;
#endif
    answer(HELD, put, end)
  :: atomic { !relay_killed && up?[PUT, value, from, until] -> up?PUT, value, from, until; mine = connection };
    if
    :: value <= put -> skip /* taken before */
    :: else ->
      disk[s].mark_put[mark_of(value)] = value; disk[s].mark_end[mark_of(value)] = until;
#ifdef FAULT_EARLY_ACK
      answer(ACK, value, until);
#endif
      if :: relay_killed -> goto start :: else fi;
      do
      :: from < until ->
        atomic {
          if :: relay_killed -> goto start :: else fi;
          assert(disk[s].size <= RECORDS); /* none twice */
          disk[s].file[disk[s].size] = from + 1; disk[s].size++; from++ }
      :: else -> break
      od;
      put = value; end = until
    fi;
    answer(ACK, value, until)
  od;
  /* Every record is in the files, once and in its place. */
  assert(disk[0].size + disk[1].size == emitted);
  value = 0;
  do
  :: value < disk[0].size -> assert(disk[0].file[value] == value + 1); value++
  :: else -> break
  od;
  value = 0;
  do
  :: value < disk[1].size -> assert(disk[1].file[value] == value + 1); value++
  :: else -> break
  od;
#ifdef FAULT_END
  assert(false)
#endif
}
