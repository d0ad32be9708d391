/* native/model/ring.pml: the ring of native/ring/*.hpp at the size of a few words: writers that are preempted and killed at any step, and
 * a reader. test/models.test.ts runs it by spin, whole, for each ring, and with each fault below, which it must find.
 *
 *   -DLEASED     one thread has the ring; else two threads of one processor write by restartable sequence (rseq)
 *   -DOVERWRITE  the oldest sub-buffer is given up; else the record that finds no room is refused
 *
 *   -DFAULT_EARLY_HEAD     head is stored before the record is whole            (edge A)
 *   -DFAULT_NO_RESTART     a sequence goes on where it was preempted            (rseq)
 *   -DFAULT_EARLY_RELEASE  the reader gives words back before it has read them  (edge B)
 *   -DFAULT_LIMIT          the limit does not ask how far the reader is         (edge B)
 *   -DFAULT_SILENT         a refused record is not counted
 *   -DFAULT_NO_CHECK       a copy is believed without asking what was given up  (edge C)
 *   -DFAULT_LATE_COUNT     what is given up is counted by a store of its own    (edge C)
 *   -DFAULT_END            none: that the end of a run is reached, where all is asserted, is seen by an assertion that fails
 *
 * Memory is sequentially consistent here: that the edges' orders are strong enough is what write.hpp argues, not this.
 * A record is one word, or a word and a payload where its number is odd; a word below 64 is a record's number. */

#define SUB 2 /* words of a sub-buffer: two records do not fit each time, so that pads come */
#define SUBS 2
#define CAPACITY (SUB * SUBS)
#define PAD 64
#define NOTHING 255
#ifdef LEASED
#define THREADS 1
#else
#define THREADS 2
#endif
#ifndef EACH
#define EACH 2 /* records that the first thread emits; the other one emits one */
#endif

byte words[CAPACITY] = NOTHING;
byte head, limit, tail, lost;
byte given_up_subs, given_up_records; /* Header::retired */

bool alive = true;
byte running;         /* the thread that has the processor */
bool broken[THREADS]; /* it lost the processor within its sequence */
bool within[THREADS];

/* What the model knows and no program does. */
byte written[THREADS], refused[THREADS], finished;
byte below[40]; /* records below a position, once head has passed it */

#define SIZE(word) (1 + (word & 1))
#define LEFT(at) (SUB - (at % SUB))
#define STEP(me) (alive && running == me)
#define record_at(at) words[(at) % CAPACITY]

/* A question of a thread that has the processor, and a step; none once it was killed. */
#define when(me, question) (STEP(me) && (question))
#define step(me, what) atomic { STEP(me); what }
/* The same within a restartable sequence. */
#ifdef FAULT_NO_RESTART
#define inside(me, what) atomic { STEP(me); what }
#else
#define inside(me, what) \
  atomic { STEP(me); if :: broken[me] -> goto again :: else -> what fi }
#endif

proctype Writer(byte me) {
  byte number = me * 32, seen, left, free, subs, records, count_at, word;
  bool crosses;

  do
  :: number % 32 == (me == 0 -> EACH : 1) -> break
  :: else ->
    again:
      step(me, within[me] = false; broken[me] = false; seen = head);
      if
      :: when(me, seen + SIZE(number) > limit) -> /* find_way() */
        left = LEFT(seen);
        crosses = SIZE(number) > left;
#ifdef OVERWRITE
        if
        :: !crosses ->
          /* retire() */
          step(me, subs = given_up_subs; records = given_up_records);
          if
          :: when(me, head == seen && seen / SUB - subs >= SUBS) ->
            count_at = (seen / SUB - SUBS) * SUB;
            free = records;
            do
            :: count_at < (seen / SUB - SUBS + 1) * SUB ->
              step(me, word = record_at(count_at));
              if
              :: word >= PAD -> count_at = count_at + LEFT(count_at)
              :: else -> free = free + 1; count_at = count_at + SIZE(word)
              fi
            :: else -> break
            od;
#ifdef FAULT_LATE_COUNT
            step(me, if :: given_up_subs == subs -> given_up_subs++; :: else fi);
            step(me, given_up_records = free)
#else
            step(me, if :: given_up_subs == subs && given_up_records == records ->
                          given_up_subs++; given_up_records = free
                     :: else fi)
#endif
          :: when(me, !(head == seen && seen / SUB - subs >= SUBS))
          fi;
          step(me, limit = seen + left)
        :: else
        fi;
#else
        step(me, free = tail + CAPACITY);
        if
        :: seen + (crosses -> left : SIZE(number)) > free ->
#ifdef FAULT_SILENT
          step(me, refused[me]++; number++);
#else
          step(me, lost++; refused[me]++; number++);
#endif
          goto next
        :: else
        fi;
        if
        :: !crosses ->
#ifdef FAULT_LIMIT
          step(me, limit = seen + left)
#else
          step(me, limit = (seen + left < free -> seen + left : free))
#endif
        :: else
        fi;
#endif
        if
        :: crosses -> /* rseq_pad() */
          step(me, within[me] = true);
          inside(me, if :: head != seen -> goto again :: else fi);
          inside(me, record_at(seen) = PAD);
          inside(me, below[seen + left] = below[seen]; head = seen + left);
          goto again
        :: else
        fi
      :: when(me, seen + SIZE(number) <= limit)
      fi;
      /* rseq_write() */
      step(me, within[me] = true);
      inside(me, if :: head != seen -> goto again :: else fi);
#ifdef FAULT_EARLY_HEAD
      inside(me, below[seen + SIZE(number)] = below[seen] + 1; head = seen + SIZE(number); written[me]++);
      step(me, record_at(seen) = number);
      step(me, if :: number & 1 -> record_at(seen + 1) = number :: else fi);
#else
      inside(me, record_at(seen) = number);
      inside(me, if :: number & 1 -> record_at(seen + 1) = number :: else fi);
      inside(me, below[seen + SIZE(number)] = below[seen] + 1; head = seen + SIZE(number); written[me]++);
#endif
      step(me, within[me] = false; number++);
    next: skip
  od;
  finished++
}

/* The other thread gets the processor, in the middle of whatever the one does; or what runs there is done. */
proctype Scheduler() {
  do
  :: finished == THREADS || !alive -> break
  :: atomic {
      alive && THREADS > 1 ->
      broken[running] = within[running];
      running = 1 - running
    }
  od
}

proctype Killer() { alive = false }

proctype Reader() {
  byte at, until, word, payload, from, before, passed, taken[THREADS], number, i;
  byte copied[SUB], length, gone;
  bool was_over;

  do
  :: atomic { was_over = finished == THREADS || !alive; until = head };
    do
    :: at >= until -> break
    :: else ->
#ifdef OVERWRITE
      length = (LEFT(at) < until - at -> LEFT(at) : until - at);
      i = 0;
      do
      :: i == length -> break
      :: else -> copied[i] = record_at(at + i); i++
      od;
#ifndef FAULT_NO_CHECK
      do /* kept() */
      :: atomic { gone = given_up_subs; before = given_up_records };
        from = gone * SUB; /* by head, which is read here: it is so many sub-buffers before head's */
        if
        :: gone == given_up_subs && before == given_up_records -> break
        :: else
        fi
      od;
      if
      :: from > at ->
        at = from;
        passed = (passed > before -> passed : before);
        assert(passed == below[at]);
        goto more
      :: else
      fi;
#endif
      word = copied[0];
      payload = copied[(length > 1 -> 1 : 0)];
#else
#ifdef FAULT_EARLY_RELEASE
      tail = until;
#endif
      word = record_at(at);
      payload = (word < PAD && (word & 1) -> record_at(at + 1) : word);
#endif
      assert(word != NOTHING);
      if
      :: word == PAD -> at = at + LEFT(at)
      :: else ->
        number = word % 32;
        assert(!(word & 1) || payload == word);
        assert(number >= taken[word / 32]); /* in the order of its thread, none twice */
        taken[word / 32] = number + 1;
        passed++;
        at = at + SIZE(word);
        assert(passed == below[at]) /* none left out */
      fi;
#ifdef OVERWRITE
      more: skip
#endif
    od;
    tail = at;
    if
    :: was_over && at == head -> break
    :: else
    fi
  od;
  assert(passed == below[head]);
#ifndef LEASED
  assert(passed + lost == written[0] + refused[0] + written[1] + refused[1]);
#else
  assert(passed + lost == written[0] + refused[0]);
#endif
#ifdef FAULT_END
  assert(false)
#endif
}

init {
  atomic {
    run Writer(0);
#ifndef LEASED
    run Writer(1);
#endif
    run Scheduler();
    run Killer();
    run Reader()
  }
}
