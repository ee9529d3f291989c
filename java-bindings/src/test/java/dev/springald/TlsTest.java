package dev.springald;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grpc.Server;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.ClientAuth;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.util.Base64;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import springald.scheduler.v1.Scheduler.CloseSessionRequest;
import springald.scheduler.v1.Scheduler.CloseSessionResponse;
import springald.scheduler.v1.Scheduler.OpenSessionRequest;
import springald.scheduler.v1.Scheduler.OpenSessionResponse;
import springald.scheduler.v1.Scheduler.ProtocolVersion;
import springald.scheduler.v1.SchedulerServiceGrpc.SchedulerServiceImplBase;

/** Encrypted connections, with a scheduler that does nothing but say hello. */
class TlsTest {
  private static final String PASSWORD = "only for this test";

  @TempDir private static Path folder;
  private Server server;

  @BeforeAll
  static void makeCertificates()
      throws IOException, InterruptedException, GeneralSecurityException {
    makeCertificate("server");
    makeCertificate("client");
  }

  @BeforeEach
  void serve() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .sslContext(
                GrpcSslContexts.forServer(pem("server", "crt").toFile(), key("server").toFile())
                    .trustManager(pem("client", "crt").toFile())
                    .clientAuth(ClientAuth.REQUIRE)
                    .build())
            .addService(new Hello())
            .build()
            .start();
  }

  @AfterEach
  void stop() throws InterruptedException {
    server.shutdownNow().awaitTermination();
  }

  /** Both sides show certificates, and the server's is for the name that is expected. */
  @Test
  void connectWithCertificatesOpensASession() {
    TlsOptions tls =
        TlsOptions.system()
            .withTrustedCertificates(pem("server", "crt"))
            .withClientCertificate(pem("client", "crt"), key("client"))
            .withHostName("localhost");
    try (Session session = connect(ConnectOptions.builder().tls(tls))) {
      assertEquals("s1", session.id());
    }
  }

  /** A server that is not trusted, or wants more than it is shown, is not spoken to. */
  @Test
  void connectWithoutTrustFails() {
    TlsOptions nobody = TlsOptions.system();
    TlsOptions anonymous = nobody.withTrustedCertificates(pem("server", "crt"));
    for (TlsOptions tls : new TlsOptions[] {nobody, anonymous.withHostName("localhost")}) {
      assertThrows(
          ClusterException.SchedulerUnavailable.class,
          () -> connect(ConnectOptions.builder().tls(tls)));
    }
    assertThrows(
        ClusterException.SchedulerUnavailable.class, () -> connect(ConnectOptions.builder()));
  }

  /** Files that hold no certificates are told as such. */
  @Test
  void connectWithUnreadableFilesIsRefused() {
    TlsOptions tls = TlsOptions.system().withTrustedCertificates(folder.resolve("nothing.pem"));
    assertThrows(
        CallerException.InvalidArgument.class, () -> connect(ConnectOptions.builder().tls(tls)));
  }

  private Session connect(ConnectOptions.Builder options) {
    return Springald.connect("springald://127.0.0.1:" + server.getPort(), options.build());
  }

  /** Has the JDK's own tool make a key and a certificate, and writes both as text. */
  private static void makeCertificate(String name)
      throws IOException, InterruptedException, GeneralSecurityException {
    Path store = folder.resolve(name + ".p12");
    Path tool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    String[] command = {
      tool.toString(),
      "-genkeypair",
      "-alias",
      name,
      "-keyalg",
      "EC",
      "-dname",
      "CN=" + name,
      "-ext",
      "san=dns:localhost",
      "-storetype",
      "PKCS12",
      "-keystore",
      store.toString(),
      "-storepass",
      PASSWORD
    };
    assertEquals(0, new ProcessBuilder(command).start().waitFor());
    KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
    Key key = keys.getKey(name, PASSWORD.toCharArray());
    write(pem(name, "crt"), "CERTIFICATE", keys.getCertificate(name).getEncoded());
    write(key(name), "PRIVATE KEY", key.getEncoded());
  }

  private static void write(Path file, String kind, byte[] content) throws IOException {
    String text = Base64.getMimeEncoder().encodeToString(content);
    Files.writeString(
        file, "-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n");
  }

  private static Path pem(String name, String kind) {
    return folder.resolve(name + "." + kind);
  }

  private static Path key(String name) {
    return pem(name, "key");
  }

  /** Opens and closes sessions. */
  private static final class Hello extends SchedulerServiceImplBase {
    @Override
    public void openSession(
        OpenSessionRequest request, StreamObserver<OpenSessionResponse> answer) {
      ProtocolVersion version = ProtocolVersion.newBuilder().setMajor(1).build();
      answer.onNext(
          OpenSessionResponse.newBuilder().setSessionId("s1").setProtocolVersion(version).build());
      answer.onCompleted();
    }

    @Override
    public void closeSession(
        CloseSessionRequest request, StreamObserver<CloseSessionResponse> answer) {
      answer.onNext(CloseSessionResponse.getDefaultInstance());
      answer.onCompleted();
    }
  }
}
