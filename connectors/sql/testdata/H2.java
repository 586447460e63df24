import java.io.*;
import java.sql.*;
import java.time.LocalDateTime;

/**
 * One session of the H2 database whose JDBC URL is the argument, for h2_test.go. A request on standard input is a
 * statement and its values, the reply on standard output is rows, a count or an error. A value is a letter and a text:
 * n null, l integer, s text or decimal, t local date and time.
 */
class H2 {
    public static void main(String[] args) throws Exception {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
        try (Connection session = DriverManager.getConnection(args[0])) {
            while (true) {
                String sql = in.readUTF();
                Object[] values = new Object[in.readInt()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = read(in);
                }
                run(session, sql, values, out);
                out.flush();
            }
        } catch (EOFException end) {
            // The test is over.
        }
    }

    static void run(Connection session, String sql, Object[] values, DataOutputStream out) throws IOException {
        ByteArrayOutputStream reply = new ByteArrayOutputStream();
        try (PreparedStatement statement = session.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            DataOutputStream answer = new DataOutputStream(reply);
            if (statement.execute()) {
                rows(statement.getResultSet(), answer);
            } else {
                answer.writeByte('u');
                answer.writeInt(statement.getUpdateCount());
            }
            reply.writeTo(out);
        } catch (SQLException e) {
            out.writeByte('e');
            out.writeInt(e.getErrorCode());
            out.writeUTF(e.getMessage());
        }
    }

    static void rows(ResultSet rows, DataOutputStream out) throws IOException, SQLException {
        int columns = rows.getMetaData().getColumnCount();
        out.writeByte('r');
        out.writeInt(columns);
        for (int i = 1; i <= columns; i++) {
            out.writeUTF(rows.getMetaData().getColumnLabel(i));
        }
        while (rows.next()) {
            out.writeBoolean(true);
            for (int i = 1; i <= columns; i++) {
                write(out, rows.getObject(i), rows.getMetaData().getScale(i));
            }
        }
        out.writeBoolean(false);
    }

    static Object read(DataInputStream in) throws IOException {
        char kind = (char) in.readByte();
        String text = in.readUTF();
        switch (kind) {
            case 'n': return null;
            case 'l': return Long.valueOf(text);
            case 't': return LocalDateTime.parse(text);
            default: return text;
        }
    }

    static void write(DataOutputStream out, Object value, int scale) throws IOException {
        if (value == null) {
            field(out, 'n', "");
        } else if (value instanceof Timestamp) {
            field(out, 't', ((Timestamp) value).toLocalDateTime().toString());
        } else if (value instanceof Number && scale == 0) {
            field(out, 'l', value.toString());
        } else if (value instanceof java.math.BigDecimal) {
            field(out, 's', ((java.math.BigDecimal) value).toPlainString());
        } else {
            field(out, 's', value.toString());
        }
    }

    static void field(DataOutputStream out, char kind, String text) throws IOException {
        out.writeByte(kind);
        out.writeUTF(text);
    }
}
