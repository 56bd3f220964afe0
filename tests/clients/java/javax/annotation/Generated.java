// Stands in for the annotation that JDKs had up to version 8; generated classes bear it.

package javax.annotation;

public @interface Generated {
    String[] value();

    String date() default "";

    String comments() default "";
}
