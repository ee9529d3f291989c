package dev.springald;

import io.grpc.HasByteBuffer;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;

/**
 * One message of Arrow as Flight sends it ({@code FlightData}).
 *
 * <p>Arrow's own client for Flight copies each body through an array on the heap, which has to be
 * cleared before and collected afterwards. Here it goes from the network's buffers to where it is
 * to be.
 *
 * @param header what it is, with where its buffers lie in the body
 * @param body the bytes of its vectors; belongs to whoever reads it
 */
record FlightMessage(Message header, ArrowBuf body) {
  private static final int FIELD_HEADER = 2;
  private static final int FIELD_BODY = 1000;
  private static final int WIRE_LENGTH_DELIMITED = 2;
  private static final int CHUNK_BYTES = 64 * 1024;

  static FlightMessage read(InputStream in, BufferAllocator allocator) throws IOException {
    Message header = null;
    ArrowBuf body = null;
    try {
      for (long tag = varint(in); tag >= 0; tag = varint(in)) {
        if ((tag & 7) != WIRE_LENGTH_DELIMITED) {
          throw new IOException("a field of FlightData has a length");
        }
        long size = varint(in);
        int field = (int) (tag >>> 3);
        if (field == FIELD_HEADER) {
          byte[] bytes = new byte[Math.toIntExact(size)];
          if (in.readNBytes(bytes, 0, bytes.length) < bytes.length) {
            throw new EOFException();
          }
          header = Message.getRootAsMessage(ByteBuffer.wrap(bytes));
        } else if (field == FIELD_BODY && body == null) {
          body = allocator.buffer(size);
          copy(in, body, size);
        } else {
          in.skipNBytes(size);
        }
      }
      return new FlightMessage(header, body == null ? allocator.getEmpty() : body);
    } catch (IOException | RuntimeException broken) {
      if (body != null) {
        body.close();
      }
      throw broken;
    }
  }

  private static void copy(InputStream in, ArrowBuf body, long size) throws IOException {
    boolean isShared = in instanceof HasByteBuffer shared && shared.byteBufferSupported();
    byte[] chunk = isShared ? null : new byte[CHUNK_BYTES];
    long at = 0;
    while (at < size) {
      if (isShared) {
        ByteBuffer there = ((HasByteBuffer) in).getByteBuffer();
        if (there == null || !there.hasRemaining()) {
          throw new EOFException();
        }
        int count = (int) Math.min(there.remaining(), size - at);
        there.limit(there.position() + count);
        body.setBytes(at, there);
        in.skipNBytes(count);
        at += count;
      } else {
        int count = in.read(chunk, 0, (int) Math.min(chunk.length, size - at));
        if (count < 0) {
          throw new EOFException();
        }
        body.setBytes(at, chunk, 0, count);
        at += count;
      }
    }
    body.writerIndex(size);
  }

  /** Reads a number as protobuf writes it; -1 at the end. */
  private static long varint(InputStream in) throws IOException {
    int first = in.read();
    if (first < 0) {
      return -1;
    }
    long value = first & 0x7f;
    int last = first;
    for (int shift = 7; (last & 0x80) != 0; shift += 7) {
      last = in.read();
      if (last < 0 || shift > 56) {
        throw new EOFException();
      }
      value |= (long) (last & 0x7f) << shift;
    }
    return value;
  }
}
